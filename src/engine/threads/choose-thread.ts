/**
 * Which worker thread takes a task. Pure. Kinds of work that would disturb each other have threads of their own: sending never
 * waits behind sync, reading (CPU-bound) never shares a thread with sockets. Another thread starts when those of the group are too
 * few for what they have and what waits, or busy while a core is free: one costs 24 MB and 200 ms, and the same code compiled once
 * more. It starts before the first one is full, so that both get their share.
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
  const roomy = own
    .filter((thread) => thread.taskCount < limits.tasksPerThreadMax)
    .sort((a, b) => a.taskCount - b.taskCount);
  const holding = roomy.find((thread) => thread.name === holder);
  if (holding) return { kind: 'use', name: holding.name };
  const [best] = roomy;
  if (best && !needsAnother(own, waitingCount, limits)) return { kind: 'use', name: best.name };
  if (threads.length < limits.threadCountMax) return { kind: 'start' };
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
