/**
 * Starts the store thread and hands out connections to it. `stop` lets it finish what is queued, may be called twice, and tells how
 * many durable steps it made.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { EngineError, fromErrorRecord } from '../../base/errors.ts';
import type { StoreFiles } from './open-store.ts';
import type { ThreadFiles, ThreadNews, ThreadOrder } from './thread-protocol.ts';

export interface StoreThread {
  /** The database is open, and migrated. Rejects with what opening it throws. */
  readonly ready: Promise<void>;
  /** A new port for one client; it may be transferred to a worker thread. */
  connect(): MessagePort;
  /** Called once when the thread has ended; `wasAsked`: by `stop`. */
  onExit(callback: (wasAsked: boolean) => void): void;
  stop(): Promise<{ readonly steps: number }>;
}

export interface StoreThreadStart extends StoreFiles {
  readonly crashAt?: number;
}

/** Resolves when it is ready. */
export async function startStoreThread(given: StoreThreadStart): Promise<StoreThread> {
  const thread = beginStoreThread(given);
  await thread.ready;
  return thread;
}

/** Connections may be handed out at once; nobody may read the database before it is ready. */
export function beginStoreThread(given: StoreThreadStart): StoreThread {
  const { file, keyFile, crashAt = 0 } = given;
  const files: ThreadFiles = { file, keyFile, crashAt };
  const worker = new Worker(new URL('./store-thread-start.js', import.meta.url), {
    workerData: files,
    name: 'store',
    resourceLimits: { maxYoungGenerationSizeMb: 6 },
  });
  const life = watch(worker);
  const order = (message: ThreadOrder, transfer: MessagePort[] = []): void => worker.postMessage(message, transfer);
  return {
    ready: life.ready,
    connect() {
      const { port1, port2 } = new MessageChannel();
      // A dead thread takes no port; its client must see a closed one.
      if (life.hasEnded()) port1.close();
      else order({ kind: 'connect', port: port1 }, [port1]);
      return port2;
    },
    onExit: life.onExit,
    stop() {
      if (!life.hasEnded()) order({ kind: 'stop' });
      return life.stopped;
    },
  };
}

interface Life {
  readonly ready: Promise<void>;
  readonly stopped: Promise<{ readonly steps: number }>;
  readonly hasEnded: () => boolean;
  readonly onExit: StoreThread['onExit'];
}

function watch(worker: Worker): Life {
  const callbacks: ((wasAsked: boolean) => void)[] = [];
  let failure: unknown = new EngineError('thread_died', 'the store thread ended');
  let steps: number | undefined;
  let hasEnded = false;
  worker.on('error', (error) => {
    failure = new EngineError('thread_died', 'the store thread failed', { cause: error });
  });
  const stopped = new Promise<{ steps: number }>((resolve) => {
    worker.once('exit', () => {
      hasEnded = true;
      for (const callback of callbacks) callback(steps !== undefined);
      resolve({ steps: steps ?? 0 });
    });
  });
  const ready = new Promise<void>((resolve, reject) => {
    worker.once('exit', () => reject(failure));
    worker.on('message', (news: ThreadNews) => {
      if (news.kind === 'ready') resolve();
      if (news.kind === 'failed') failure = fromErrorRecord(news.error);
      if (news.kind === 'stopped') steps = news.steps;
    });
  });
  const onExit = (callback: (wasAsked: boolean) => void): void => {
    if (hasEnded) callback(steps !== undefined);
    else callbacks.push(callback);
  };
  return { ready, stopped, hasEnded: () => hasEnded, onExit };
}
