/**
 * The worker threads: starts one when those running are full, hands out tasks, replaces a thread that died and gives its
 * tasks to others. A thread that dies takes nothing with it but time: what it had committed is committed.
 */
import { Worker } from 'node:worker_threads';
import { EngineError, type ErrorRecord, toErrorRecord } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { StoreThread } from '../store/sqlite/store-thread.ts';
import type { PassReport, PassTask, Progress } from '../sync/pass.ts';
import type { FromThread, ThreadStart, ToThread } from './protocol.ts';

export interface ThreadsOptions {
  readonly storeThread: StoreThread;
  readonly start: Omit<ThreadStart, 'thread' | 'storePort'>;
  readonly threadCountMax: number;
  /** Tasks that a thread works on at a time. */
  readonly tasksPerThreadMax: number;
  readonly log: Log;
  readonly onProgress: (progress: Progress) => void;
}

export interface Threads {
  /** Resolves with the pass's report; never rejects for what happened in a pass. */
  run(task: PassTask): Promise<PassReport>;
  /** Waits for the threads to end; work not committed is left to the next pass. May be called twice. */
  stop(): Promise<void>;
  /** For tests: the worker behind a thread's name. */
  readonly workers: ReadonlyMap<string, Worker>;
}

interface Pending {
  readonly taskId: number;
  readonly task: PassTask;
  readonly resolve: (report: PassReport) => void;
  /** Threads that died with it. */
  deaths: number;
}

interface Thread {
  readonly name: string;
  readonly worker: Worker;
  readonly tasks: Map<number, Pending>;
}

/**
 * A small nursery, collected often: bodies are Buffers outside the heap, freed only when their small heads are collected. With
 * V8's default of 48 MiB the first sync of 20,000 mails peaks 60 MB higher (bench).
 */
const maxYoungGenerationSizeMb = 6;

/** A task that took two threads with it is not given to a third: it is reported as failed. */
const deathsMax = 2;

export function createThreads(options: ThreadsOptions): Threads {
  const threads = new Set<Thread>();
  const workers = new Map<string, Worker>();
  const waiting: Pending[] = [];
  let nextTaskId = 1;
  let isStopping = false;

  const start = (): Thread => {
    const thread = startThread(options, freeName(threads), settle, died);
    threads.add(thread);
    workers.set(thread.name, thread.worker);
    return thread;
  };
  /** The least busy thread that has room, or another one; undefined: the task waits. */
  const choose = (): Thread | undefined => {
    const [best] = [...threads].sort((a, b) => a.tasks.size - b.tasks.size);
    if (best && best.tasks.size < options.tasksPerThreadMax) return best;
    return threads.size < options.threadCountMax ? start() : undefined;
  };
  const dispatch = (): void => {
    for (let pending = waiting[0]; pending; pending = waiting[0]) {
      const thread = choose();
      if (!thread) return;
      waiting.shift();
      thread.tasks.set(pending.taskId, pending);
      thread.worker.postMessage({ kind: 'task', taskId: pending.taskId, task: pending.task } satisfies ToThread);
    }
  };
  const hand = (pending: Pending): void => {
    waiting.push(pending);
    dispatch();
  };
  const died = (thread: Thread, cause: ErrorRecord): void => {
    threads.delete(thread);
    workers.delete(thread.name);
    if (isStopping) return;
    options.log.threadingError(`${thread.name} ended: ${cause.detail}`);
    for (const pending of thread.tasks.values()) {
      pending.deaths += 1;
      if (pending.deaths < deathsMax) hand(pending);
      else pending.resolve(failedReport(pending.task, cause));
    }
  };
  function settle(thread: Thread, taskId: number, report: PassReport): void {
    thread.tasks.get(taskId)?.resolve(report);
    thread.tasks.delete(taskId);
    dispatch();
  }

  return {
    workers,
    run: (task) =>
      new Promise((resolve) => {
        hand({ taskId: nextTaskId, task, resolve, deaths: 0 });
        nextTaskId += 1;
      }),
    async stop() {
      isStopping = true;
      for (const { task, resolve } of waiting.splice(0)) resolve(failedReport(task, aborted));
      await Promise.all([...threads].map(stopThread));
    },
  };
}

const aborted = new EngineError('aborted', '').toRecord();

function freeName(threads: ReadonlySet<Thread>): string {
  const taken = new Set([...threads].map((thread) => thread.name));
  let number = 1;
  while (taken.has(`t${number}`)) number += 1;
  return `t${number}`;
}

function startThread(
  options: ThreadsOptions,
  name: string,
  settle: (thread: Thread, taskId: number, report: PassReport) => void,
  died: (thread: Thread, cause: ErrorRecord) => void,
): Thread {
  const storePort = options.storeThread.connect();
  const workerData: ThreadStart = { ...options.start, thread: name, storePort };
  const worker = new Worker(new URL('./thread-main.js', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb },
    transferList: [storePort],
    name,
  });
  const thread: Thread = { name, worker, tasks: new Map() };
  let cause: ErrorRecord = { code: 'thread_died', scope: 'thread', remedy: 'retry', detail: 'without a word' };
  worker.on('message', (message: FromThread) => {
    if (message.kind === 'progress') options.onProgress(message.progress);
    else if (message.kind === 'done') settle(thread, message.taskId, message.report);
    else if (message.kind === 'failed') settleFailed(options, thread, message, settle);
  });
  worker.on('error', (error) => {
    cause = toErrorRecord(
      new EngineError('thread_died', error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
  });
  worker.on('exit', () => died(thread, cause));
  return thread;
}

function settleFailed(
  options: ThreadsOptions,
  thread: Thread,
  { taskId, error }: { taskId: number; error: ErrorRecord },
  settle: (thread: Thread, taskId: number, report: PassReport) => void,
): void {
  const task = thread.tasks.get(taskId)?.task;
  if (!task) return;
  if (error.code === 'bug') options.log.threadingError(error.detail, { acntid: task.acntid });
  settle(thread, taskId, failedReport(task, error));
}

const failedReport = (task: PassTask, error: ErrorRecord): PassReport => ({
  acntid: task.acntid,
  folders: [],
  unchangedCount: 0,
  error,
});

async function stopThread(thread: Thread): Promise<void> {
  const ended = new Promise((resolve) => thread.worker.once('exit', resolve));
  thread.worker.postMessage({ kind: 'stop' } satisfies ToThread);
  await ended;
}
