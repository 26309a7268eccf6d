/**
 * Which worker thread takes a task. Pure. Kinds of work that would disturb each other have threads of their own: sending never
 * waits behind sync, reading (CPU-bound) never shares a thread with sockets. Another thread starts when those of the group are too
 * few for what they have and what waits, or busy while a core is free: one costs 24 MB and 200 ms, and the same code compiled once
 * more. So a few tasks too many are put up with first; and it starts before the first one has all it can take, so that both get
 * their share.
 */
import type { TaskKind } from './protocol.ts';

export type ThreadGroup = 'sync' | 'send' | 'read';

export const groupOf: { readonly [K in TaskKind]: ThreadGroup } = {
  pass: 'sync',
  file: 'sync',
  send: 'send',
  read: 'read',
};

/** What a thread of a group is started for. */
export const firstKindOf: { readonly [G in ThreadGroup]: TaskKind } = { sync: 'pass', send: 'send', read: 'read' };

export interface ThreadLoad {
  readonly name: string;
  readonly group: ThreadGroup;
  readonly taskCount: number;
  /** Share of the last seconds that its event loop was at work, 0 to 1. */
  readonly utilization: number;
}

export interface ThreadLimits {
  /** All threads together (BG_MAX_THREADS). */
  readonly threadCountMax: number;
  /** What one works on at a time (BG_THREAD_CONCURRENCY). */
  readonly tasksPerThread: number;
  /** What one takes before another is started; not where no other may be. */
  readonly tasksPerThreadMax: number;
  readonly coreCount: number;
}

export type ThreadChoice =
  | { readonly kind: 'use'; readonly name: string }
  | { readonly kind: 'start' }
  /** An idle thread of another group ends first. */
  | { readonly kind: 'replace'; readonly name: string }
  | { readonly kind: 'wait' };

/** From here on a thread counts as busy. */
const busyUtilization = 0.9;

export interface WaitingTask {
  readonly group: ThreadGroup;
  /** The thread that keeps a connection of the task's account. */
  readonly holder: string | undefined;
  /** Tasks of the group that wait, this one included. */
  readonly waitingCount: number;
}

export function chooseThread(
  threads: readonly ThreadLoad[],
  { group, holder, waitingCount }: WaitingTask,
  limits: ThreadLimits,
): ThreadChoice {
  const own = threads.filter((thread) => thread.group === group);
  const canStart = threads.length < limits.threadCountMax;
  const roomy = own
    .filter((thread) => thread.taskCount < (canStart ? limits.tasksPerThreadMax : limits.tasksPerThread))
    .sort((a, b) => a.taskCount - b.taskCount);
  const holding = roomy.find((thread) => thread.name === holder);
  if (holding) return { kind: 'use', name: holding.name };
  const [best] = roomy;
  if (best && !needsAnother(own, waitingCount, limits)) return { kind: 'use', name: best.name };
  if (canStart) return { kind: 'start' };
  if (best) return { kind: 'use', name: best.name };
  const idle = threads.find((thread) => thread.group !== group && thread.taskCount === 0);
  return idle ? { kind: 'replace', name: idle.name } : { kind: 'wait' };
}

function needsAnother(
  own: readonly ThreadLoad[],
  waitingCount: number,
  { coreCount, tasksPerThreadMax }: ThreadLimits,
): boolean {
  const taskCount = own.reduce((sum, thread) => sum + thread.taskCount, waitingCount);
  const areBusy = own.every((thread) => thread.taskCount > 0 && thread.utilization >= busyUtilization);
  return taskCount > own.length * tasksPerThreadMax || (own.length < coreCount && areBusy);
}
