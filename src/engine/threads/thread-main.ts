/**
 * Entry of a worker thread: takes tasks, runs them side by side, reports. All waiting is on sockets and the store.
 */
import '../../base/code-cache.ts';
import { setMaxListeners } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { EngineError, toErrorRecord } from '../../base/errors.ts';
import { createLog, type Log } from '../../base/log.ts';
import { createCredentials } from '../../login/credentials.ts';
import { createStoreClient } from '../../store/sqlite/store-client.ts';
import { beatMs, beatNow, type FromThread, type TaskKind, type ThreadStart, type ToThread } from './protocol.ts';
import type { ThreadHost, Work } from './thread-host.ts';

interface Running {
  readonly cancel: AbortController;
  readonly ended: Promise<void>;
}

function main(start: ThreadStart): void {
  const stopBeating = beat(start.beat);
  const log = createLog({
    ...start.log,
    thread: start.thread,
    onProblem: (text) => tell({ kind: 'logTrouble', text }),
  });
  const stopping = new AbortController();
  let opened: Promise<Opened> | null = null;
  const open = (): Promise<Opened> => {
    opened ??= openWorks(start, log, stopping.signal).catch((error: unknown) => {
      // The next task tries again.
      opened = null;
      throw error;
    });
    return opened;
  };
  const running = new Map<number, Running>();
  const end = async (): Promise<void> => {
    stopping.abort();
    for (const { cancel } of running.values()) cancel.abort();
    await Promise.all([...running.values()].map(({ ended }) => ended));
    await opened?.then((one) => one.close());
    log.close();
    stopBeating();
    parentPort?.close();
  };
  parentPort?.on('message', (message: ToThread) => {
    if (message.kind === 'task')
      running.set(
        message.taskId,
        runTask(open, message, () => running.delete(message.taskId)),
      );
    else if (message.kind === 'cancel') running.get(message.taskId)?.cancel.abort();
    else if (message.kind === 'release') void opened?.then(({ works }) => works.release(message.acntid));
    else void end();
  });
  void loaders[start.first]();
  tell({ kind: 'ready' });
}

interface Opened {
  readonly works: Works;
  close(): Promise<void>;
}

/** With the first task: a thread may be started before the store is there. */
async function openWorks(start: ThreadStart, log: Log, signal: AbortSignal): Promise<Opened> {
  const { passwordCommand } = start;
  const store = await createStoreClient({ port: start.storePort, file: start.storeFile, keyFile: start.keyFile });
  const credentialsOf = createCredentials(store, { passwordCommand, signal });
  const works = createWorks({ start, store, log, credentialsOf, tell });
  return {
    works,
    async close() {
      await works.close();
      await store.close();
    },
  };
}

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}

function beat(shared: SharedArrayBuffer): () => void {
  const cell = new BigInt64Array(shared);
  const store = (): void => void Atomics.store(cell, 0, beatNow());
  store();
  const timer = setInterval(store, beatMs);
  return () => clearInterval(timer);
}

function runTask(
  open: () => Promise<Opened>,
  { taskId, what, task }: Extract<ToThread, { kind: 'task' }>,
  onEnd: () => void,
): Running {
  const cancel = new AbortController();
  // Every command under way listens.
  setMaxListeners(0, cancel.signal);
  const run = async (): Promise<void> => {
    try {
      const work = await (await open()).works.of(what);
      tell({ kind: 'done', taskId, report: await work.run(task, cancel.signal) });
    } catch (error) {
      tell({ kind: 'failed', taskId, error: toErrorRecord(error) });
    } finally {
      onEnd();
    }
  };
  return { cancel, ended: run() };
}

type AnyWork = Work<unknown, unknown>;

interface Works {
  of(kind: TaskKind): Promise<AnyWork>;
  release(acntid: number): Promise<void>;
  close(): Promise<void>;
}

/** The only place where a task's shape is taken on trust: it was sent by the main thread, by the same declarations. */
const loaders: { readonly [K in TaskKind]: () => Promise<(host: ThreadHost) => AnyWork> } = {
  pass: async () => (await import('./pass-work.ts')).createPassWork as (host: ThreadHost) => AnyWork,
  send: async () => (await import('./send-work.ts')).createSendWork as (host: ThreadHost) => AnyWork,
  file: async () => (await import('./file-work.ts')).createFileWork as (host: ThreadHost) => AnyWork,
  read: async () => (await import('./read-work.ts')).createReadWork as (host: ThreadHost) => AnyWork,
};

function createWorks(host: ThreadHost): Works {
  const works = new Map<TaskKind, Promise<AnyWork>>();
  const all = (): Promise<AnyWork[]> => Promise.all(works.values());
  return {
    of(kind) {
      const work = works.get(kind) ?? loaders[kind]().then((create) => create(host));
      works.set(kind, work);
      return work;
    },
    release: async (acntid) => {
      for (const work of await all()) await work.release(acntid);
    },
    close: async () => {
      for (const work of await all()) await work.close();
    },
  };
}

if (!parentPort) throw new EngineError('bug', 'thread-main was loaded outside a worker thread');
main(workerData as ThreadStart);
