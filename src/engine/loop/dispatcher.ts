/**
 * From the queue to threads and back: each turn takes what is due, lets `pick` choose what starts within the ceilings, and runs
 * it by its kind of work; what ended goes back into the queue with its next time. It knows nothing of what the work is.
 */
import type { Clock } from '../../base/clock.ts';
import { asEngineError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Queue, QueuedTask, TaskKey } from '../../queue/queue.ts';
import type { Candidate, Ceilings, Kept, Running, Start } from '../pick/situation.ts';
import { createUsage, type Usage } from '../pick/usage.ts';
import { pick } from '../pick.ts';
import { isTaskClass } from '../schedule/task-class.ts';
import { dueTasks, nextDueMs, type Room } from './candidates.ts';
import { createClockWatch } from './clock-watch.ts';
import type { Servers } from './servers.ts';
import { createTurns } from './turns.ts';

/** What a kind of task in the queue is, for those who start it. */
export interface KindOfWork {
  /** More connections than this are of no use to it. */
  connectionCountMax(task: QueuedTask): number;
  /** It is about to start; called in the turn that chose it. */
  begin(task: QueuedTask): void;
  /** Returns what comes in its place. Throws only for defects and a store that fails: then it is tried again in a minute. */
  run(task: QueuedTask, start: Pick<Start, 'connections' | 'sliceMs'>): Promise<readonly QueuedTask[]>;
}

export interface DispatcherOptions {
  readonly queue: Queue;
  readonly servers: Servers;
  /** Asked at each turn; a kind that is missing does not start. */
  readonly kinds: () => ReadonlyMap<string, KindOfWork>;
  readonly kept: () => readonly Kept[];
  readonly ceilings: () => Ceilings;
  /** The wall clock was set, or the machine slept: every due time is to be worked out again. */
  readonly onJump: () => Promise<void>;
  /** Only counts: performance.now() unless a test says otherwise. */
  readonly monotonicMs?: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Dispatcher {
  wake(): void;
  readonly running: readonly Running[];
  /** Starts nothing any more; resolves when everything has ended, or after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

interface Chosen extends Candidate {
  readonly task: QueuedTask;
}

/** What is due and did not start waits for a task of its own account, which wakes us at its end; or for another class's room. */
const blockedMs = 1000;
const noServers: ReadonlySet<string> = new Set();
const brokenMs = 60_000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { queue, servers, kinds, clock, log } = options;
  const running = new Map<string, Running>();
  const working = new Set<Promise<void>>();
  let isStopping = false;
  /** The grace of `stop` is over: the queue may be closed, and fills itself from the store at the next start. */
  let isOver = false;
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const hasJumped = createClockWatch(() => clock().getTime(), monotonicMs);
  const turns = createTurns({ turn, onError: (error) => log.error(`schedule: ${asEngineError(error).message}`) });

  /** Returns in how many ms there is more to do. */
  async function turn(): Promise<number> {
    if (hasJumped()) await options.onJump();
    // Most turns find nothing due, and cost next to nothing.
    const soonestMs = (await queue.nextDueMs(noServers)) ?? Number.POSITIVE_INFINITY;
    if (soonestMs > clock().getTime()) return soonestMs - clock().getTime();
    const works = kinds();
    const nowMs = clock().getTime();
    const usage = usageAt(nowMs);
    const room: Room = { usage, kinds: [...works.keys()], resting: restingServers(servers, nowMs) };
    const due = await dueTasks(queue, room, { nowMs, countPerServer: options.ceilings().connectionsPerHost });
    if (isStopping) return Number.POSITIVE_INFINITY;
    const toChosen = (task: QueuedTask): Chosen =>
      toCandidate(task, works.get(task.kind)?.connectionCountMax(task) ?? 1);
    const starts = pick(usage, due.map(toChosen));
    for (const { task, connections } of starts) {
      running.set(nameOf(task.task), { ...task, connections, startedMs: nowMs });
      works.get(task.task.kind)?.begin(task.task);
    }
    const late = starts.map(({ task: { task } }) => ({
      ...keyOf(task),
      class: task.class,
      lateMs: nowMs - Math.max(task.dueMs, servers.wellSinceMs(task.server)),
    }));
    try {
      await queue.start(late, nowMs);
    } catch (error) {
      for (const { task } of starts) running.delete(nameOf(task.task));
      throw error;
    }
    for (const start of starts) track(run(start.task.task, works.get(start.task.task.kind), start));
    const next = await nextDueMs(queue, room);
    const restMs = Math.min(next, servers.nextRetryMs(nowMs)) - clock().getTime();
    return restMs > 0 ? restMs : blockedMs;
  }
  function usageAt(nowMs: number): Usage {
    const allowedOn = (server: string): number => servers.allowedOn(server, nowMs);
    return createUsage({
      running: [...running.values()],
      kept: options.kept(),
      ceilings: options.ceilings(),
      allowedOn,
      nowMs,
    });
  }

  const note = async (task: QueuedTask, next: readonly QueuedTask[]): Promise<void> => {
    if (!isOver) await queue.end(keyOf(task), next);
  };
  async function run(task: QueuedTask, work: KindOfWork | undefined, start: Start<Chosen>): Promise<void> {
    try {
      await note(task, (await work?.run(task, start)) ?? []);
    } catch (error) {
      if (isOver) return;
      log.error(`${task.kind} could not be begun or recorded: ${asEngineError(error).message}`, placeOf(task));
      await note(task, [{ ...task, dueMs: clock().getTime() + brokenMs }]);
    } finally {
      running.delete(nameOf(task));
      turns.wake();
    }
  }
  const track = (work: Promise<void>): void => {
    working.add(work);
    void work.finally(() => working.delete(work));
  };

  return {
    wake: () => turns.wake(),
    get running() {
      return [...running.values()];
    },
    async stop(graceMs) {
      isStopping = true;
      turns.stop();
      const grace = new Promise((resolve) => setTimeout(resolve, graceMs).unref());
      await Promise.race([Promise.allSettled(working), grace]);
      isOver = true;
    },
  };
}

const restingServers = (servers: Servers, nowMs: number): string[] =>
  servers.list().flatMap(({ server }) => (servers.allowedOn(server, nowMs) === 0 ? [server] : []));

const toCandidate = (task: QueuedTask, connectionCountMax: number): Chosen => ({
  task,
  class: isTaskClass(task.class) ? task.class : 'recent',
  acntid: task.acntid,
  server: task.server === '' ? null : task.server,
  dueMs: task.dueMs,
  connectionCountMax,
});

const keyOf = ({ kind, acntid }: QueuedTask): TaskKey => ({ kind, acntid });
const nameOf = ({ kind, acntid }: QueuedTask): string => `${kind}/${acntid}`;
const placeOf = ({ acntid }: QueuedTask): { acntid: number } | undefined => (acntid === 0 ? undefined : { acntid });
