/**
 * Which worker thread takes a task. Pure. Kinds of work that would disturb each other have threads of their own: sending never
 * waits behind sync, reading (CPU-bound) never shares a thread with sockets. Another thread starts when those of the group are
 * full, or busy while a core is free: one costs 24 MB and 200 ms, and the same code compiled once more.
 */
import type { TaskKind } from './protocol.ts';

export type ThreadGroup = 'sync' | 'send' | 'read';

export const groupOf: { readonly [K in TaskKind]: ThreadGroup } = {
  pass: 'sync',
  file: 'sync',
  send: 'send',
  read: 'read',
};

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

/** `holder`: the thread that keeps a connection of the task's account. */
export function chooseThread(
  threads: readonly ThreadLoad[],
  group: ThreadGroup,
  holder: string | undefined,
  limits: ThreadLimits,
): ThreadChoice {
  const own = threads.filter((thread) => thread.group === group);
  const roomy = own
    .filter((thread) => thread.taskCount < limits.tasksPerThreadMax)
    .sort((a, b) => a.taskCount - b.taskCount);
  const holding = roomy.find((thread) => thread.name === holder);
  if (holding) return { kind: 'use', name: holding.name };
  const [best] = roomy;
  if (best && !needsAnother(own, limits)) return { kind: 'use', name: best.name };
  if (threads.length < limits.threadCountMax) return { kind: 'start' };
  if (best) return { kind: 'use', name: best.name };
  const idle = threads.find((thread) => thread.group !== group && thread.taskCount === 0);
  return idle ? { kind: 'replace', name: idle.name } : { kind: 'wait' };
}

const needsAnother = (own: readonly ThreadLoad[], { coreCount }: ThreadLimits): boolean =>
  own.length < coreCount && own.every((thread) => thread.taskCount > 0 && thread.utilization >= busyUtilization);
