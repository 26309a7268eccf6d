/**
 * Nothing hangs in silence. Looks once a second at every thread's beat and every task's run time, from outside of the threads:
 * a task past its time has its connections cut, a thread that does not obey or does not turn is replaced, and when a thread can't
 * be ended (stuck in native code), the process ends itself, to be launched again. What to do is judged by a pure function.
 */
import type { Log } from '../../base/log.ts';
import type { TaskKind } from './protocol.ts';
import type { Thread } from './thread.ts';
import type { Threads } from './threads.ts';

export interface WatchedTask {
  readonly taskId: number;
  readonly what: TaskKind;
  readonly runMs: number;
  readonly wasCancelled: boolean;
}

export interface WatchedThread {
  readonly name: string;
  readonly beatAgeMs: number;
  readonly tasks: readonly WatchedTask[];
}

export interface WatchdogLimits {
  /** Longest run of each kind of task. */
  readonly runMsMax: Readonly<Record<TaskKind, number>>;
  /** What a cancelled task may take to end. */
  readonly cancelMsMax: number;
  /** From here on a standing event loop is told in the log. */
  readonly stallMs: number;
  /** From here on it is not believed to turn again. */
  readonly standstillMs: number;
}

export type WatchdogAction =
  | { readonly kind: 'tell-stall'; readonly thread: string; readonly beatAgeMs: number }
  | { readonly kind: 'cancel'; readonly taskId: number; readonly thread: string; readonly because: string }
  | { readonly kind: 'replace'; readonly thread: string; readonly because: string };

/** One action a thread, the gravest. Pure. */
export function judgeThread(thread: WatchedThread, limits: WatchdogLimits): WatchdogAction | undefined {
  const { name, beatAgeMs } = thread;
  const seconds = (ms: number): number => Math.round(ms / 1000);
  if (beatAgeMs >= limits.standstillMs)
    return { kind: 'replace', thread: name, because: `its event loop has stood still for ${seconds(beatAgeMs)} s` };
  const late = thread.tasks.filter((task) => task.runMs >= limits.runMsMax[task.what]);
  const deaf = late.find((task) => task.wasCancelled && task.runMs >= limits.runMsMax[task.what] + limits.cancelMsMax);
  if (deaf)
    return {
      kind: 'replace',
      thread: name,
      because: `a ${deaf.what} task runs for ${seconds(deaf.runMs)} s and does not end`,
    };
  const next = late.find((task) => !task.wasCancelled);
  if (next)
    return {
      kind: 'cancel',
      taskId: next.taskId,
      thread: name,
      because: `a ${next.what} task has run for ${seconds(next.runMs)} s: its connections are cut`,
    };
  return beatAgeMs >= limits.stallMs ? { kind: 'tell-stall', thread: name, beatAgeMs } : undefined;
}

export interface Watchdog {
  stop(): void;
}

export interface WatchdogOptions {
  readonly threads: Threads;
  readonly limits: WatchdogLimits;
  readonly log: Log;
  /** A thread can't be ended: the process must. */
  readonly onStuck: (thread: string) => void;
}

const lookMs = 1000;
/** A look that comes so late says that we stood still ourselves (a blocked loop, SIGSTOP, a suspended host): ages mean nothing then. */
const lateMs = 3000;

export function startWatchdog({ threads, limits, log, onStuck }: WatchdogOptions): Watchdog {
  const cancelled = new Set<number>();
  const stalled = new Set<string>();
  const replacing = new Set<string>();
  let lastLookMs = performance.now();

  const replace = async (name: string, because: string): Promise<void> => {
    replacing.add(name);
    const hasEnded = await threads.replace(name, because);
    replacing.delete(name);
    if (!hasEnded) onStuck(name);
  };
  const act = (action: WatchdogAction): void => {
    if (action.kind === 'replace') void replace(action.thread, action.because);
    else if (action.kind === 'cancel') {
      cancelled.add(action.taskId);
      log.threadingError(`${action.thread}: ${action.because}`);
      threads.cancel(action.taskId);
    } else if (!stalled.has(action.thread)) {
      stalled.add(action.thread);
      log.threadingError(`${action.thread}: its event loop stands still (${Math.round(action.beatAgeMs / 1000)} s)`);
    }
  };
  const look = (): void => {
    const sinceMs = performance.now() - lastLookMs;
    lastLookMs = performance.now();
    if (sinceMs > lateMs) log.threadingError(`t0: this process stood still for ${Math.round(sinceMs / 1000)} s`);
    else for (const thread of threads.list()) lookAt(thread);
  };
  const lookAt = (thread: Thread): void => {
    const watched = watchedOf(thread, cancelled);
    if (watched.beatAgeMs < limits.stallMs) stalled.delete(thread.name);
    const action = replacing.has(thread.name) ? undefined : judgeThread(watched, limits);
    if (action) act(action);
  };
  const timer = setInterval(look, lookMs);
  return { stop: () => clearInterval(timer) };
}

function watchedOf(thread: Thread, cancelled: ReadonlySet<number>): WatchedThread {
  const nowMs = performance.now();
  return {
    name: thread.name,
    beatAgeMs: thread.beatAgeMs(),
    tasks: [...thread.tasks].map(([taskId, { pending, startedMs }]) => ({
      taskId,
      what: pending.what,
      runMs: nowMs - startedMs,
      wasCancelled: cancelled.has(taskId),
    })),
  };
}
