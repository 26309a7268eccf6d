/** One worker thread as the main thread sees it: started, given tasks, watched, ended. */

import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { EngineError, type ErrorRecord, toErrorRecord } from '../../base/errors.ts';
import type { StoreThread } from '../../store/sqlite/store-thread.ts';
import { firstKindOf, type ThreadGroup, type ThreadLoad } from './choose-thread.ts';
import { createMeter } from './meter.ts';
import { beatNow, type FromThread, type TaskKind, type ThreadStart, type ToThread } from './protocol.ts';

export interface Pending {
  readonly taskId: number;
  readonly what: TaskKind;
  readonly task: unknown;
  readonly acntid: number | null;
  readonly settle: (outcome: Outcome) => void;
  /** Threads that died with it. */
  deaths: number;
}

export type Outcome = { readonly report: unknown } | { readonly error: ErrorRecord };

export interface RunningTask {
  readonly pending: Pending;
  readonly startedMs: number;
}

export interface Thread {
  readonly name: string;
  readonly group: ThreadGroup;
  readonly worker: Worker;
  readonly tasks: ReadonlyMap<number, RunningTask>;
  give(pending: Pending): void;
  /** The task is not its any more: ended, or to be given to another. */
  take(taskId: number): Pending | undefined;
  /** For how long it had nothing to do; 0: at work. */
  idleMs(): number;
  tell(message: ToThread): void;
  load(): ThreadLoad;
  /** How long its event loop has not turned. */
  beatAgeMs(): number;
  /** Waits for its end, at most `graceMs`; then it is terminated. */
  stop(graceMs: number): Promise<void>;
  /** False: it did not end within `killMs`, so it is stuck in native code, and no one but the process can end it. */
  kill(): Promise<boolean>;
}

export interface ThreadEvents {
  readonly onMessage: (thread: Thread, message: FromThread) => void;
  readonly onExit: (thread: Thread, cause: ErrorRecord) => void;
}

/**
 * A small nursery, collected often: bodies are Buffers outside the heap, freed only when their small heads are collected. With
 * V8's default of 48 MiB the first sync of 20,000 mails peaks 60 MB higher (bench).
 */
const maxYoungGenerationSizeMb = 6;
const killMs = 10_000;

export function startThread(
  name: string,
  group: ThreadGroup,
  storeThread: StoreThread,
  start: Omit<ThreadStart, 'thread' | 'first' | 'beat' | 'storePort'>,
  events: ThreadEvents,
): Thread {
  const storePort = storeThread.connect();
  const beat = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
  const beatCell = new BigInt64Array(beat).fill(beatNow());
  const workerData: ThreadStart = { ...start, thread: name, first: firstKindOf[group], beat, storePort };
  const worker = new Worker(new URL('./thread-start.js', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb },
    transferList: [storePort],
    name,
  });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const endsWithin = (ms: number): Promise<boolean> =>
    Promise.race([ended.then(() => true), wait(ms, false, { ref: false })]);
  const utilization = createMeter(worker);
  const tasks = new Map<number, RunningTask>();
  let lastEndMs = performance.now();
  const thread: Thread = {
    name,
    group,
    worker,
    tasks,
    idleMs: () => (tasks.size > 0 ? 0 : performance.now() - lastEndMs),
    take(taskId) {
      const pending = tasks.get(taskId)?.pending;
      tasks.delete(taskId);
      lastEndMs = performance.now();
      return pending;
    },
    give(pending) {
      tasks.set(pending.taskId, { pending, startedMs: performance.now() });
      thread.tell({ kind: 'task', taskId: pending.taskId, what: pending.what, task: pending.task });
    },
    tell: (message) => worker.postMessage(message),
    load: () => ({ name, group, taskCount: tasks.size, utilization: utilization() }),
    beatAgeMs: () => Number(beatNow() - Atomics.load(beatCell, 0)) / 1e6,
    async stop(graceMs) {
      thread.tell({ kind: 'stop' });
      if (!(await endsWithin(graceMs))) await thread.kill();
    },
    async kill() {
      void worker.terminate();
      return endsWithin(killMs);
    },
  };
  watch(thread, events);
  return thread;
}

function watch(thread: Thread, { onMessage, onExit }: ThreadEvents): void {
  let cause: ErrorRecord = { code: 'thread_died', scope: 'thread', remedy: 'retry', detail: 'without a word' };
  thread.worker.on('message', (message: FromThread) => onMessage(thread, message));
  thread.worker.on('error', (error) => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    cause = toErrorRecord(new EngineError('thread_died', detail));
  });
  thread.worker.once('exit', () => onExit(thread, cause));
}
