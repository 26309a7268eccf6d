/** What of the queue may start in a turn, and when there is the next to look at. */
import type { Queue, QueuedTask } from '../../queue/queue.ts';
import type { Candidate, Situation } from '../pick/situation.ts';
import { createUsage } from '../pick/usage.ts';
import type { TaskClass } from '../schedule/task-class.ts';

export type Room = Omit<Situation<Candidate>, 'due'>;

/** The kinds that may start, each with the class whose room it needs. */
const likeClass: Readonly<Record<string, TaskClass>> = {
  outbox: 'outbox',
  file: 'filing',
  sync: 'recent',
  bulk: 'first',
  read: 'reading',
};

/** Of each kind: more than ever start in a turn. */
const countMax = 500;

/** Each kind by itself, and none of servers that are full or rest: a backlog must not hide others' tasks. */
export async function dueTasks(
  queue: Queue,
  kinds: Iterable<string>,
  room: Room,
  resting: readonly string[],
): Promise<QueuedTask[]> {
  const due: QueuedTask[] = [];
  for (const { kind, skipServers } of kindsWithRoom(kinds, room, resting)) {
    const countPerServer = room.ceilings.connectionsPerHost;
    due.push(...(await queue.due({ kinds: [kind], nowMs: room.nowMs, skipServers, countPerServer, countMax })));
  }
  return due;
}

/** When something comes due that had room now; in the past: it waits for a task of its own account. */
export async function nextDueMs(
  queue: Queue,
  kinds: Iterable<string>,
  room: Room,
  resting: readonly string[],
): Promise<number> {
  const times = [Number.POSITIVE_INFINITY];
  for (const { kind, skipServers } of kindsWithRoom(kinds, room, resting))
    times.push((await queue.nextDueMs(skipServers, [kind])) ?? Number.POSITIVE_INFINITY);
  return Math.min(...times);
}

function kindsWithRoom(
  kinds: Iterable<string>,
  room: Room,
  resting: readonly string[],
): { kind: string; skipServers: Set<string> }[] {
  const usage = createUsage(room);
  return [...kinds].flatMap((kind) => {
    const { hasSlot, fullServers } = usage.roomFor(likeClass[kind] ?? 'recent');
    return hasSlot ? [{ kind, skipServers: new Set([...fullServers, ...resting]) }] : [];
  });
}
