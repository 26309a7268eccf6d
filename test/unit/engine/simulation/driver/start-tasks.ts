/** From what may be due to what starts: the queue's candidates, `pick`, and a last look into the store. */

import { scheduledAccount } from '../../../../../src/engine/due.ts';
import type { Candidate, Kept, Situation } from '../../../../../src/engine/pick/situation.ts';
import { createUsage } from '../../../../../src/engine/pick/usage.ts';
import { pick } from '../../../../../src/engine/pick.ts';
import type { Lane } from '../../../../../src/engine/schedule/rules.ts';
import { type TaskClass, type TaskKind, taskClasses } from '../../../../../src/engine/schedule/task-class.ts';
import { scopeAt } from '../../../../../src/engine/schedule.ts';
import type { QueuedTask, StartedTask } from '../../../../../src/queue/queue.ts';
import { type Counts, kindOf, lanes } from './next-tasks.ts';
import { momentOf, type Planned, type PlannerState } from './state.ts';

interface Waiting extends Candidate {
  readonly kind: TaskKind;
  readonly counts: Counts;
}

type Room = Omit<Situation<Candidate>, 'due'>;

/** Looked at in one tick: more than ever start at once (bench/schedule.ts). */
const dueCountMax = 500;
/** A task found not to be due any more leaves its room to another, so many times a tick. */
const roundCountMax = 3;

/** `putBack`: told of accounts whose task was not due after all. */
export async function startTasks(
  state: PlannerState,
  kept: readonly Kept[],
  putBack: (acntids: readonly number[]) => Promise<void>,
): Promise<Planned[]> {
  const all: Planned[] = [];
  for (let round = 0; round < roundCountMax; round += 1) {
    const { started, idle } = await startRound(state, kept);
    all.push(...started);
    await putBack(idle);
    if (idle.length === 0) break;
  }
  return all;
}

async function startRound(
  state: PlannerState,
  kept: readonly Kept[],
): Promise<{ readonly started: Planned[]; readonly idle: number[] }> {
  const room = roomOf(state, kept);
  const [started, idle]: [Planned[], number[]] = [[], []];
  const late: StartedTask[] = [];
  for (const { task, connections, sliceMs } of pick({ ...room, due: await dueTasks(state, room) })) {
    const found = await verify(state, task);
    if (!found) {
      idle.push(task.acntid);
      continue;
    }
    const { kind, acntid, server, counts } = task;
    const planned = { kind, acntid, server, connections, sliceMs, counts, startedMs: room.nowMs, ...found };
    state.running.add(planned);
    started.push(planned);
    late.push({ kind, acntid, class: planned.class, lateMs: latenessOf(state, task, room.nowMs) });
  }
  if (late.length > 0) await state.queue.start(late, room.nowMs);
  return { started, idle };
}

function roomOf(state: PlannerState, kept: readonly Kept[]): Room {
  const nowMs = state.nowMs();
  const allowedOn = (server: string): number => state.servers.allowedOn(server, nowMs);
  return { running: [...state.running], kept, ceilings: state.ceilings(), allowedOn, nowMs };
}

const kinds: readonly (readonly [kind: TaskKind, like: TaskClass])[] = [
  ['outbox', 'outbox'],
  ['sync', 'recent'],
  ['bulk', 'first'],
  ['read', 'reading'],
];

/** Each kind by itself, and none of servers that are full: a backlog must not hide others' tasks. */
async function dueTasks(state: PlannerState, room: Room): Promise<Waiting[]> {
  const due: Waiting[] = [];
  for (const { kind, skipServers } of kindsWithRoom(state, room)) {
    const countPerServer = room.ceilings.connectionsPerHost;
    const ask = { kinds: [kind], nowMs: room.nowMs, skipServers, countPerServer, countMax: dueCountMax };
    due.push(...(await state.queue.due(ask)).map(toWaiting));
  }
  return due;
}

function kindsWithRoom(state: PlannerState, room: Room): { kind: TaskKind; skipServers: Set<string> }[] {
  const { servers } = state;
  const resting = servers.list().flatMap(({ server }) => (servers.allowedOn(server, room.nowMs) === 0 ? [server] : []));
  const usage = createUsage(room);
  return kinds.flatMap(([kind, taskClass]) => {
    const { hasSlot, fullServers } = usage.roomFor(taskClass);
    return hasSlot ? [{ kind, skipServers: new Set([...fullServers, ...resting]) }] : [];
  });
}

/** When something may start that has room now; null: not before something ends or is offered. */
export async function nextStartMs(state: PlannerState, kept: readonly Kept[]): Promise<number | null> {
  const room = roomOf(state, kept);
  const times: (number | null)[] = [state.servers.nextRetryMs(room.nowMs)];
  for (const { kind, skipServers } of kindsWithRoom(state, room))
    times.push(await state.queue.nextDueMs(skipServers, [kind]));
  const nextMs = Math.min(...times.map((ms) => ms ?? Number.POSITIVE_INFINITY));
  return nextMs === Number.POSITIVE_INFINITY ? null : nextMs;
}

const isClass = (name: string): name is TaskClass => name in taskClasses;
/** Sync can use as many as an account may have; everything else works on one. */
const connectionsOf = (name: TaskClass): number => (taskClasses[name].pool === 'sync' ? Number.POSITIVE_INFINITY : 1);

/** A class that this version does not know waits like a recent sync. */
function toWaiting(task: QueuedTask): Waiting {
  const { acntid, dueMs, attempts, fruitlessCount } = task;
  const name = isClass(task.class) ? task.class : 'recent';
  return {
    kind: taskClasses[name].kind,
    class: name,
    acntid,
    server: task.server === '' ? null : task.server,
    dueMs,
    counts: { attempts, fruitlessCount },
    connectionCountMax: connectionsOf(name),
  };
}

export const laneOf = (kind: TaskKind): Lane | undefined => lanes.find((lane) => kindOf[lane] === kind);

/** Undefined: nothing of the account is due any more. Bulk stays bulk, although it takes along what else is due. */
async function verify(state: PlannerState, waiting: Waiting): Promise<Pick<Planned, 'work' | 'class'> | undefined> {
  const lane = laneOf(waiting.kind);
  if (!lane) return { work: null, class: waiting.class };
  const times = await state.store.accountTimes(waiting.acntid);
  if (!times) return undefined;
  const { rules, nowMs, serverOkMs } = momentOf(state, times.server);
  const account = scheduledAccount(times, { fruitlessCount: 0, serverRetryMs: null, serverOkMs });
  const work = scopeAt(account, rules, nowMs, lane === 'prompt' ? lane : undefined);
  return work ? { work, class: lane === 'prompt' ? work.class : waiting.class } : undefined;
}

function latenessOf({ wellSinceMs }: PlannerState, { server, dueMs }: Waiting, nowMs: number): number {
  return Math.max(0, nowMs - Math.max(dueMs, wellSinceMs.get(server ?? '') ?? 0));
}
