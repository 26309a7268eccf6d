/** What of the queue may start in a turn, and when there is the next to look at. */
import type { DueAsk, Queue, QueuedTask } from '../../queue/queue.ts';
import type { Usage } from '../pick/usage.ts';
import type { TaskClass } from '../schedule/task-class.ts';

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

/** What there is room for. */
export interface Room {
  readonly usage: Pick<Usage, 'roomFor'>;
  readonly kinds: readonly string[];
  /** Servers on which nothing may start, whatever room there is. */
  readonly resting: readonly string[];
}

/** Each kind by itself, and none of servers that are full or rest: a backlog must not hide others' tasks. */
export async function dueTasks(
  queue: Queue,
  room: Room,
  { nowMs, countPerServer }: Pick<DueAsk, 'nowMs' | 'countPerServer'>,
): Promise<QueuedTask[]> {
  const due: QueuedTask[] = [];
  for (const { kind, skipServers } of kindsWithRoom(room))
    due.push(...(await queue.due({ kinds: [kind], nowMs, skipServers, countPerServer, countMax })));
  return due;
}

/** When something comes due that had room now; in the past: it waits for a task of its own account. */
export async function nextDueMs(queue: Queue, room: Room): Promise<number> {
  const times = [Number.POSITIVE_INFINITY];
  for (const { kind, skipServers } of kindsWithRoom(room))
    times.push((await queue.nextDueMs(skipServers, [kind])) ?? Number.POSITIVE_INFINITY);
  return Math.min(...times);
}

const kindsWithRoom = ({ usage, kinds, resting }: Room): { kind: string; skipServers: Set<string> }[] =>
  kinds.flatMap((kind) => {
    const { hasSlot, fullServers } = usage.roomFor(likeClass[kind] ?? 'recent');
    return hasSlot ? [{ kind, skipServers: new Set([...fullServers, ...resting]) }] : [];
  });
