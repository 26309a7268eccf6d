/**
 * The worker threads: starts one when it is needed, hands out tasks, replaces a thread that died and gives its tasks to others,
 * ends one that had nothing to do for a while. A thread that dies takes nothing with it but time: what it had committed is
 * committed.
 */
import type { Worker } from 'node:worker_threads';
import { EngineError, type ErrorRecord, toErrorRecord } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { StoreThread } from '../../store/sqlite/store-thread.ts';
import type { Progress } from '../../sync/pass.ts';
import { chooseThread, groupOf, type ThreadGroup, type ThreadLimits } from './choose-thread.ts';
import { createHolders } from './holders.ts';
import type { FromThread, ReportOf, TaskKind, TaskOf, ThreadStart } from './protocol.ts';
import { type Outcome, type Pending, startThread, type Thread } from './thread.ts';

export interface ThreadsOptions {
  readonly storeThread: StoreThread;
  readonly start: Omit<ThreadStart, 'thread' | 'first' | 'beat' | 'storePort' | 'heldKib'>;
  readonly limits: ThreadLimits;
  readonly log: Log;
  readonly onProgress: (progress: Progress) => void;
  /** The server told of a change in a watched INBOX. */
  readonly onStir: (acntid: number) => void;
  /** The connection kept for this account is gone, with or without its thread. */
  readonly onLost: (acntid: number) => void;
  /** A thread's log cannot be written, or can be again. */
  readonly onLogTrouble: (text: string) => void;
}

export type TaskOutcome<K extends TaskKind> = { readonly report: ReportOf<K> } | { readonly error: ErrorRecord };

export interface Threads {
  /** Never rejects: what went wrong is an outcome. `acntid`: whose kept connection helps. */
  run<K extends TaskKind>(what: K, task: TaskOf<K>, acntid: number | null): Promise<TaskOutcome<K>>;
  /** Closes the connection kept for this account; `onLost` is not called for it. */
  release(acntid: number): void;
  /** Starts a thread of this group if there is none, before it is needed. */
  warm(group: ThreadGroup): void;
  /** Ends threads that had nothing to do for `idleMs` and keep no connection; one of each warm group stays. */
  endIdle(idleMs: number, warmGroups: readonly ThreadGroup[]): void;
  /** The task's connections are cut; it ends with `aborted`. */
  cancel(taskId: number): void;
  /** Threads started from now on are as given; those that run end when their tasks have. */
  reconfigure(start: ThreadsOptions['start'], limits: ThreadLimits): void;
  /** All of a kind, waiting ones included. */
  cancelAll(what: TaskKind): void;
  /** Ends the thread; its tasks go to others. False: it can't be ended. */
  replace(name: string, because: string): Promise<boolean>;
  list(): readonly Thread[];
  readonly waitingCount: number;
  /** Waits for the threads to end; work not committed is left to the next pass. May be called twice. */
  stop(graceMs: number): Promise<void>;
  /** For tests: the worker behind a thread's name. */
  readonly workers: ReadonlyMap<string, Worker>;
}

/** A task that took two threads with it is not given to a third: it is reported as failed. */
const deathsMax = 2;
/** A thread that is retired has nothing to do: it ends at once or is stuck. */
const retireMs = 10_000;

/** One for each thread that can be there: names are given again. */
const heldSlots = 256;

export function createThreads(options: ThreadsOptions): Threads {
  const { log } = options;
  let { start: startWith, limits } = options;
  const heldKib = new SharedArrayBuffer(heldSlots * Int32Array.BYTES_PER_ELEMENT);
  const threads = new Map<string, Thread>();
  const waiting: Pending[] = [];
  const holders = createHolders();
  /** They finish what they have, and get no more. */
  const retiring = new Map<string, Thread>();
  let nextTaskId = 1;
  let isStopping = false;
  let isDispatchDue = false;

  const start = (group: ThreadGroup): Thread => {
    const name = freeName([threads, retiring]);
    const thread = startThread(name, group, options.storeThread, { ...startWith, heldKib }, { onMessage, onExit });
    threads.set(name, thread);
    return thread;
  };
  const choose = ({ what, acntid }: Pending, waitingCount: number): Thread | undefined => {
    const loads = [...threads.values()].map((thread) => thread.load());
    const holder = acntid === null ? undefined : holders.of(acntid);
    const choice = chooseThread(loads, { group: groupOf[what], holder, waitingCount }, limits);
    if (choice.kind === 'use') return threads.get(choice.name);
    if (choice.kind === 'start') return start(groupOf[what]);
    if (choice.kind === 'replace') retire(choice.name);
    return undefined;
  };
  /** In order of arrival, but a group that is full holds up no other. */
  const dispatch = (): void => {
    const full = new Set<ThreadGroup>();
    const asked = waiting.splice(0);
    const counts = countByGroup(asked);
    for (const pending of asked) {
      const group = groupOf[pending.what];
      const waitingCount = counts.get(group) ?? 0;
      counts.set(group, waitingCount - 1);
      const thread = full.has(group) ? undefined : choose(pending, waitingCount);
      if (thread) give(thread, pending);
      else {
        full.add(group);
        waiting.push(pending);
      }
    }
  };
  /** Whoever asks in the same breath is seen together, and spread over the threads that it takes. */
  const dispatchSoon = (): void => {
    if (isDispatchDue) return;
    isDispatchDue = true;
    setImmediate(() => {
      isDispatchDue = false;
      dispatch();
    });
  };
  const give = (thread: Thread, pending: Pending): void => {
    const holder = pending.acntid === null ? undefined : holders.of(pending.acntid);
    // Its thread is full: the pass logs in elsewhere.
    if (pending.acntid !== null && holder !== undefined && holder !== thread.name) release(pending.acntid);
    thread.give(pending);
  };
  const release = (acntid: number): void => {
    const name = holders.remove(acntid);
    if (name !== undefined) threads.get(name)?.tell({ kind: 'release', acntid });
  };
  /** From here on it counts no more, and may take its time. */
  const forget = (name: string): void => {
    threads.delete(name);
    for (const acntid of holders.removeThread(name)) options.onLost(acntid);
  };
  const retire = (name: string): void => {
    const thread = threads.get(name);
    if (!thread) return;
    forget(name);
    retiring.set(name, thread);
    if (thread.tasks.size === 0) endRetired(thread);
  };
  const endRetired = (thread: Thread): void =>
    void thread.stop(retireMs).then(() => {
      retiring.delete(thread.name);
      dispatch();
    });

  function onMessage(thread: Thread, message: FromThread): void {
    if (message.kind === 'progress') options.onProgress(message.progress);
    else if (message.kind === 'stirred') options.onStir(message.acntid);
    else if (message.kind === 'lost' && holders.remove(message.acntid)) options.onLost(message.acntid);
    else if (message.kind === 'logTrouble') options.onLogTrouble(message.text);
    else if (message.kind === 'done') settle(thread, message.taskId, { report: message.report });
    else if (message.kind === 'failed') settle(thread, message.taskId, { error: message.error });
  }
  function settle(thread: Thread, taskId: number, outcome: Outcome): void {
    const pending = thread.take(taskId);
    if (!pending) return;
    if (pending.acntid !== null) holders.note(pending.acntid, thread.name, keepsConnection(outcome));
    if ('error' in outcome && outcome.error.code === 'bug') log.threadingError(outcome.error.detail, placeOf(pending));
    pending.settle(outcome);
    if (retiring.get(thread.name) === thread && thread.tasks.size === 0) endRetired(thread);
    dispatch();
  }
  function onExit(thread: Thread, cause: ErrorRecord): void {
    const isUnexpected = threads.get(thread.name) === thread;
    if (isUnexpected) forget(thread.name);
    if (isUnexpected && !isStopping) log.threadingError(`${thread.name} ended: ${cause.detail}`);
    for (const taskId of thread.tasks.keys()) {
      const pending = thread.take(taskId);
      if (pending) buryOrRetry(pending, cause);
    }
    dispatch();
  }
  const buryOrRetry = (pending: Pending, cause: ErrorRecord): void => {
    pending.deaths += 1;
    if (isStopping) pending.settle({ error: aborted });
    else if (pending.deaths < deathsMax) waiting.push(pending);
    else pending.settle({ error: cause });
  };

  return {
    get workers() {
      return new Map([...threads].map(([name, thread]) => [name, thread.worker]));
    },
    get waitingCount() {
      return waiting.length;
    },
    list: () => [...threads.values(), ...retiring.values()],
    run<K extends TaskKind>(what: K, task: TaskOf<K>, acntid: number | null) {
      if (isStopping) return Promise.resolve({ error: aborted });
      return new Promise<TaskOutcome<K>>((resolve) => {
        // The thread answers a task of this kind with a report of this kind (protocol.ts).
        const settleTask = (outcome: Outcome): void => resolve(outcome as TaskOutcome<K>);
        waiting.push({ taskId: nextTaskId, what, task, acntid, settle: settleTask, deaths: 0 });
        nextTaskId += 1;
        dispatchSoon();
      });
    },
    release,
    warm(group) {
      if (![...threads.values()].some((thread) => thread.group === group)) start(group);
    },
    endIdle(idleMs, warmGroups) {
      for (const thread of threads.values()) {
        const isNeeded = thread.idleMs() < idleMs || holders.isHolder(thread.name);
        const isLast = [...threads.values()].filter(({ group }) => group === thread.group).length === 1;
        if (!isNeeded && !(isLast && warmGroups.includes(thread.group))) retire(thread.name);
      }
    },
    cancel(taskId) {
      for (const thread of [...threads.values(), ...retiring.values()])
        if (thread.tasks.has(taskId)) thread.tell({ kind: 'cancel', taskId });
    },
    reconfigure(given, givenLimits) {
      startWith = given;
      limits = givenLimits;
      for (const name of threads.keys()) retire(name);
    },
    cancelAll(what) {
      const [those, others] = [waiting.filter((one) => one.what === what), waiting.filter((one) => one.what !== what)];
      waiting.splice(0, waiting.length, ...others);
      for (const pending of those) pending.settle({ error: aborted });
      for (const thread of [...threads.values(), ...retiring.values()])
        for (const [taskId, { pending }] of thread.tasks)
          if (pending.what === what) thread.tell({ kind: 'cancel', taskId });
    },
    async replace(name, because) {
      log.threadingError(`${name} is replaced: ${because}`);
      return (await (threads.get(name) ?? retiring.get(name))?.kill()) ?? true;
    },
    async stop(graceMs) {
      isStopping = true;
      for (const pending of waiting.splice(0)) pending.settle({ error: aborted });
      await Promise.all([...threads.values(), ...retiring.values()].map((thread) => thread.stop(graceMs)));
    },
  };
}

const aborted = toErrorRecord(new EngineError('aborted', ''));

const keepsConnection = (outcome: Outcome): boolean =>
  'report' in outcome &&
  typeof outcome.report === 'object' &&
  outcome.report !== null &&
  'isKept' in outcome.report &&
  outcome.report.isKept === true;

const placeOf = ({ acntid }: Pending): { acntid: number } | undefined => (acntid === null ? undefined : { acntid });

function countByGroup(pending: readonly Pending[]): Map<ThreadGroup, number> {
  const counts = new Map<ThreadGroup, number>();
  for (const { what } of pending) counts.set(groupOf[what], (counts.get(groupOf[what]) ?? 0) + 1);
  return counts;
}

function freeName(taken: readonly ReadonlyMap<string, Thread>[]): string {
  let number = 1;
  while (taken.some((threads) => threads.has(`t${number}`))) number += 1;
  return `t${number}`;
}
