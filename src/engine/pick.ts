/**
 * Which due tasks start now, and with how many connections. Pure. The oldest goes first, corrected by what its class may wait
 * and by how much its host has running already: so every task becomes the oldest some day, and no host takes all slots. A
 * quarter of slots and connections is kept from patient tasks (first syncs, daily passes, hosts where passes are stuck), so
 * that nobody else waits for them.
 */
import type { Candidate, Start } from './pick/situation.ts';
import type { Place, Usage } from './pick/usage.ts';
import { taskClasses } from './schedule/task-class.ts';

/** One running task puts its host's next one behind those of other hosts that came due 5 s later. */
const hostStepMs = 5_000;

/** IDLE may hold half of a host's connections: the other half is for passes. */
export const keptCountMax = (connectionsPerHost: number): number => Math.floor(connectionsPerHost / 2);

/** What starts is counted in `usage`, as if it had been running. */
export function pick<Task extends Candidate>(usage: Usage, due: readonly Task[]): Start<Task>[] {
  const queues = queuesOf(due, usage);
  const starts: Chosen<Task>[] = [];
  for (let queue = nextQueue(queues, usage); queue; queue = nextQueue(queues, usage)) {
    const task = queue.tasks[queue.next];
    queue.next += 1;
    if (!task) continue;
    if (usage.take(task, queue.place))
      starts.push({ task, place: queue.place, connections: queue.place.needsConnection ? 1 : 0 });
  }
  dealConnections(starts, queues, usage);
  return starts.map(({ task, connections }) => ({ task, connections, sliceMs: taskClasses[task.class].sliceMs }));
}

interface Chosen<Task> {
  readonly task: Task;
  readonly place: Place;
  connections: number;
}

/** Candidates for the same room, by rank. */
interface Queue<Task> {
  readonly place: Place;
  readonly tasks: Task[];
  next: number;
  /** There was no room for one of them. */
  isWanting: boolean;
}

const rankOf = (task: Candidate): number => task.dueMs + taskClasses[task.class].patienceMs;

function queuesOf<Task extends Candidate>(due: readonly Task[], usage: Usage): Queue<Task>[] {
  const queues = new Map<string, Queue<Task>>();
  for (const task of due) {
    const place = usage.placeOf(task);
    const key = `${place.host} ${place.isPatient}`;
    const queue = queues.get(key) ?? { place, tasks: [], next: 0, isWanting: false };
    queue.tasks.push(task);
    queues.set(key, queue);
  }
  for (const { tasks } of queues.values()) tasks.sort((a, b) => rankOf(a) - rankOf(b));
  return [...queues.values()];
}

/** The queue whose first task goes next. */
function nextQueue<Task extends Candidate>(queues: readonly Queue<Task>[], usage: Usage): Queue<Task> | undefined {
  let [best, bestRank]: [Queue<Task> | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
  for (const queue of queues) {
    const task = firstWithRoom(queue, usage);
    if (!task) continue;
    const rank = rankOf(task) + hostStepMs * usage.tasksOn(queue.place);
    if (rank < bestRank) [best, bestRank] = [queue, rank];
  }
  return best;
}

/** Where the host is full, that is one whose account keeps a connection; the others are passed over. */
function firstWithRoom<Task extends Candidate>(queue: Queue<Task>, usage: Usage): Task | undefined {
  if (queue.next < queue.tasks.length && !usage.hasRoom(queue.place)) {
    queue.isWanting = true;
    const kept = queue.tasks.findIndex((task, index) => index >= queue.next && usage.hasKept(task));
    queue.next = kept === -1 ? queue.tasks.length : kept;
  }
  return queue.tasks[queue.next];
}

/** One connection each comes before a second one for any; what nobody waits for is dealt out in turns. */
function dealConnections<Task extends Candidate>(
  starts: readonly Chosen<Task>[],
  queues: readonly Queue<Task>[],
  usage: Usage,
): void {
  const wanted = new Set(queues.filter(({ isWanting }) => isWanting).map(({ place }) => place.host));
  let hungry = starts.filter(({ place }) => !wanted.has(place.host));
  while (hungry.length > 0) {
    hungry = hungry.filter((start) => {
      if (!usage.takeMore(start.task, start.place, start.connections)) return false;
      start.connections += 1;
      return true;
    });
  }
}
