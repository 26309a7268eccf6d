/**
 * A loop over schedule, queue and pick, for the simulation. The queue says what may be due, the store says whether it still is,
 * `pick` says what starts. It holds nothing that could be lost: `refill` makes the queue again from the store.
 */
import type { ErrorRecord } from '../../../../../src/base/errors.ts';
import { createServers, type Servers } from '../../../../../src/engine/loop/servers.ts';
import type { Kept } from '../../../../../src/engine/pick/situation.ts';
import type { Lane } from '../../../../../src/engine/schedule/rules.ts';
import type { QueuedTask } from '../../../../../src/queue/queue.ts';
import { kindOf, lanes, nextTask, type RunEnd, tasksAfterRun } from './next-tasks.ts';
import { createRefill } from './refill.ts';
import { laneOf, nextStartMs, startTasks } from './start-tasks.ts';
import { momentOf, type Planned, type PlannerPorts, type PlannerState } from './state.ts';

export interface RunOutcome {
  readonly error: ErrorRecord | null;
  /** It brought something new: a sync that did not, and left the same thing due, comes back later and later. */
  readonly wasUseful: boolean;
  /** Tasks that are no sync: when to run again; absent or null: not of itself. */
  readonly nextDueMs?: number | null;
}

export interface Planner {
  /** Everything from the store. */
  refill(): Promise<void>;
  /** Somebody changed these accounts, or their users came or went. Accounts that are gone leave the queue. */
  refresh(acntids: readonly number[]): Promise<void>;
  /** Tasks that are no sync: outbox, reading. */
  offer(tasks: readonly QueuedTask[]): Promise<void>;
  /** What starts now; one call at a time. `kept`: connections that IDLE holds. */
  tick(kept: readonly Kept[]): Promise<Planned[]>;
  ended(planned: Planned, outcome: RunOutcome): Promise<void>;
  /** When something may start that has room now, often in the past; null: not before something ends or is offered. */
  nextStartMs(kept: readonly Kept[]): Promise<number | null>;
  readonly running: ReadonlySet<Planned>;
  readonly servers: Pick<Servers, 'of' | 'allowedOn'>;
}

export function createPlanner(ports: PlannerPorts): Planner {
  const state: PlannerState = {
    ...ports,
    running: new Set(),
    servers: createServers(ports.store),
    wellSinceMs: new Map(),
    pausing: new Set(),
    rulesNow: ports.rules(0),
  };
  const hasJumped = createClockWatch(ports);
  const refill = createRefill(state);
  const refreshAll = (acntids: readonly number[]): Promise<void> => refresh(state, acntids);
  return {
    running: state.running,
    servers: state.servers,
    refill,
    refresh: refreshAll,
    offer: (tasks) => ports.queue.put(tasks),
    async tick(kept) {
      if (hasJumped()) {
        ports.log('the clock was set, or the machine slept: all due times are worked out again');
        await refill();
      }
      return startTasks(state, kept, refreshAll);
    },
    async ended(planned, outcome) {
      state.running.delete(planned);
      const lane = laneOf(planned.kind);
      if (lane && planned.work) await endSync(state, planned, { lane, work: planned.work }, outcome);
      else await ports.queue.end(planned, nextRun(planned, outcome));
    },
    nextStartMs: (kept) => nextStartMs(state, kept),
  };
}

/** A wall clock that moves this much against the monotonic one was set, or the machine slept. */
const jumpMs = 60_000;

function createClockWatch({ nowMs, monotonicMs }: PlannerPorts): () => boolean {
  let lastMs = nowMs() - monotonicMs();
  return () => {
    const beforeMs = lastMs;
    lastMs = nowMs() - monotonicMs();
    return Math.abs(lastMs - beforeMs) > jumpMs;
  };
}

async function refresh(state: PlannerState, acntids: readonly number[]): Promise<void> {
  for (const acntid of acntids) {
    const times = await state.store.accountTimes(acntid);
    const next = times ? lanes.flatMap((lane) => nextTask(times, lane, momentOf(state, times.server)) ?? []) : [];
    const gone = Object.values(kindOf).filter((kind) => !next.some((task) => task.kind === kind));
    for (const task of next) notePause(state, task);
    await state.queue.put(next);
    await state.queue.remove(gone.map((kind) => ({ kind, acntid })));
  }
}

/** The server first: what it said may end the waits of others. */
async function endSync(
  state: PlannerState,
  planned: Planned,
  sync: Pick<RunEnd, 'lane' | 'work'>,
  outcome: RunOutcome,
): Promise<void> {
  const { store, queue, servers } = state;
  const { acntid, startedMs, counts } = planned;
  const [server, endedMs] = [planned.server ?? '', state.nowMs()];
  const hasRecovered = await servers.note(server, { acntid, startedMs, endedMs, error: outcome.error });
  const times = await store.accountTimes(acntid);
  const end = { ...sync, startedMs, hasFailed: outcome.error !== null, wasUseful: outcome.wasUseful };
  const isPausing = (other: Lane): boolean => state.pausing.has(`${kindOf[other]} ${acntid}`);
  const next = times ? tasksAfterRun(times, end, counts, isPausing, momentOf(state, server)) : [];
  for (const task of next) notePause(state, task);
  await queue.end(planned, next);
  if (!hasRecovered) return;
  state.log(`${server} answers again`);
  state.wellSinceMs.set(server, endedMs);
  await refresh(state, await queue.failing(server));
}

function notePause({ pausing }: PlannerState, { kind, acntid, fruitlessCount }: QueuedTask): void {
  if (fruitlessCount > 0) pausing.add(`${kind} ${acntid}`);
  else pausing.delete(`${kind} ${acntid}`);
}

function nextRun(planned: Planned, { error, nextDueMs }: RunOutcome): QueuedTask[] {
  if (nextDueMs === undefined || nextDueMs === null) return [];
  const { kind, acntid, server, counts } = planned;
  const attempts = error === null ? 0 : counts.attempts + 1;
  const task = { kind, acntid, server: server ?? '', class: planned.class, dueMs: nextDueMs };
  return [{ ...task, attempts, fruitlessCount: 0 }];
}
