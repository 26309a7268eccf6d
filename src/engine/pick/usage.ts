/** Counts slots and connections in use, by pool, host, server and account, against the ceilings. The arithmetic behind `pick`. */
import { type Pool, type TaskClass, taskClasses } from '../schedule/task-class.ts';
import type { Candidate, Running, Situation } from './situation.ts';

/** Twice a slice: whoever is longer at it is stuck or slow. */
const slowAfterMs = 120_000;

/** Kept from patient tasks: a quarter, at least one, nothing of one. */
export const reserveOf = (count: number): number => (count < 2 ? 0 : Math.ceil(count / 4));

/** What tasks that compete for the same room have in common. */
export interface Place {
  readonly pool: Pool;
  /** Of this pool: connections to send mail are counted apart from those to fetch it. */
  readonly host: string;
  readonly needsConnection: boolean;
  /** By its class. */
  readonly isPatient: boolean;
  /** Its host is slow: there it waits like everyone, but of the slots it leaves some to other hosts. */
  readonly isSlow: boolean;
}

export interface Usage {
  /**
   * Whether a task of the class could start anywhere, and the servers on which none could: a backlog there need not be looked
   * at, and hides nobody else's tasks.
   */
  roomFor(taskClass: TaskClass): { readonly hasSlot: boolean; readonly fullServers: Set<string> };
  placeOf(task: Candidate): Place;
  /** Tasks on the place's host, started ones included. */
  tasksOn(place: Place): number;
  hasRoom(place: Place): boolean;
  /** Its account keeps a connection open that the pass will use: it needs none of the host's others. */
  hasKept(task: Candidate): boolean;
  /** True: the task may start, and a slot and a connection are taken for it. */
  take(task: Candidate, place: Place): boolean;
  /** True: one more connection is taken for a task that has so many. */
  takeMore(task: Candidate, place: Place, connections: number): boolean;
}

interface Use {
  tasks: number;
  connections: number;
  patientTasks: number;
  patientConnections: number;
}

export function createUsage(situation: Situation): Usage {
  const { ceilings, allowedOn } = situation;
  const slow = slowHosts(situation);
  const counts = countRunning(situation, slow);
  const { pools, hosts, accounts, servers } = counts;
  /** Where something runs. */
  const busy = new Set(situation.running.flatMap(({ server }) => server ?? []));
  const kept = new Map(situation.kept.map(({ acntid, server }) => [acntid, server]));
  const hasKept = (task: Candidate): boolean =>
    poolOf(task) === 'sync' && task.server !== null && kept.get(task.acntid) === task.server;

  const slotsLeft = ({ pool, isPatient, isSlow }: Place): number => {
    const [all, used] = [ceilings.slots[pool], useOf(pools, pool)];
    const left = all - used.tasks;
    return isPatient || isSlow ? Math.min(left, all - reserveOf(all) - used.patientTasks) : left;
  };
  const connectionsLeft = ({ host, needsConnection, isPatient }: Place): number => {
    if (!needsConnection) return Number.POSITIVE_INFINITY;
    const [all, used] = [ceilings.connectionsPerHost, useOf(hosts, host)];
    const left = all - used.connections;
    return isPatient ? Math.min(left, all - reserveOf(all) - used.patientConnections) : left;
  };
  const connect = ({ host, isPatient }: Place, count: number): void => {
    useOf(hosts, host).connections += count;
    if (isPatient) useOf(hosts, host).patientConnections += 1;
  };
  const hasRoom = (place: Place): boolean => slotsLeft(place) > 0 && connectionsLeft(place) > 0;
  const isFull = (taskClass: TaskClass, server: string, keptServers: ReadonlySet<string>): boolean => {
    const isTaken = (servers.get(serverKey(taskClass, server)) ?? 0) >= allowedOn(server);
    return isTaken || !(hasRoom(placeOf({ class: taskClass, server }, slow)) || keptServers.has(server));
  };
  return {
    roomFor(taskClass) {
      const keptServers = new Set(kept.values());
      return {
        hasSlot: slotsLeft(placeOf({ class: taskClass, server: null }, slow)) > 0,
        fullServers: new Set([...busy].filter((server) => isFull(taskClass, server, keptServers))),
      };
    },
    placeOf: (task) => placeOf(task, slow),
    tasksOn: ({ host }) => useOf(hosts, host).tasks,
    hasRoom,
    hasKept,
    take(task, place) {
      const isBusy = (accounts.get(accountOf(task)) ?? 0) > 0;
      const isAllowed =
        task.server === null || (servers.get(serverKey(task.class, task.server)) ?? 0) < allowedOn(task.server);
      const takesOver = hasKept(task);
      const isFree = slotsLeft(place) > 0 && (takesOver || connectionsLeft(place) > 0);
      if (isBusy || !isAllowed || !isFree) return false;
      countTask(counts, task, place);
      if (task.server !== null) busy.add(task.server);
      if (place.needsConnection) connect(place, takesOver ? 0 : 1);
      if (takesOver) kept.delete(task.acntid);
      return true;
    },
    takeMore(task, place, connections) {
      const isEnough = connections >= Math.min(task.connectionCountMax, ceilings.connectionsPerAccount);
      // What is no need but a convenience leaves as much as a patient task does.
      if (!place.needsConnection || isEnough || connectionsLeft({ ...place, isPatient: true }) <= 0) return false;
      connect(place, 1);
      return true;
    },
  };
}

interface Counts {
  readonly pools: Map<string, Use>;
  readonly hosts: Map<string, Use>;
  readonly accounts: Map<string, number>;
  readonly servers: Map<string, number>;
}

function countRunning(situation: Situation, slow: ReadonlySet<string>): Counts {
  const counts: Counts = { pools: new Map(), hosts: new Map(), accounts: new Map(), servers: new Map() };
  for (const task of situation.running) {
    const place = placeOf(task, slow);
    countTask(counts, task, place);
    const use = useOf(counts.hosts, place.host);
    use.connections += task.connections;
    if (place.isPatient) use.patientConnections += task.connections;
  }
  for (const { server } of situation.kept) useOf(counts.hosts, hostOf('sync', server)).connections += 1;
  return counts;
}

type Task = Pick<Candidate, 'class' | 'acntid' | 'server'>;

function countTask({ pools, hosts, accounts, servers }: Counts, task: Task, place: Place): void {
  useOf(pools, place.pool).tasks += 1;
  useOf(hosts, place.host).tasks += 1;
  if (place.isPatient || place.isSlow) useOf(pools, place.pool).patientTasks += 1;
  accounts.set(accountOf(task), (accounts.get(accountOf(task)) ?? 0) + 1);
  if (task.server === null) return;
  const server = serverKey(task.class, task.server);
  servers.set(server, (servers.get(server) ?? 0) + 1);
}

function useOf(uses: Map<string, Use>, key: string): Use {
  const known = uses.get(key);
  if (known) return known;
  const use: Use = { tasks: 0, connections: 0, patientTasks: 0, patientConnections: 0 };
  uses.set(key, use);
  return use;
}

const poolOf = (task: Pick<Task, 'class'>): Pool => taskClasses[task.class].pool;
const serverKey = (taskClass: TaskClass, server: string): string => `${taskClasses[taskClass].pool}/${server}`;
const hostOf = (pool: Pool, server: string): string => `${pool}/${server.slice(0, server.lastIndexOf(':'))}`;
/** Two tasks of one account and pool never run at a time. */
const accountOf = (task: Task): string => `${poolOf(task)}/${task.acntid}`;

function placeOf(task: Omit<Task, 'acntid'>, slow: ReadonlySet<string>): Place {
  const { pool, isPatient } = taskClasses[task.class];
  const host = task.server === null ? pool : hostOf(pool, task.server);
  return { pool, host, needsConnection: task.server !== null, isPatient, isSlow: slow.has(host) };
}

/** Hosts where half of what runs, or more, has been running for long: what starts there may be long, too. */
function slowHosts({ running, nowMs }: { readonly running: readonly Running[]; readonly nowMs: number }): Set<string> {
  const hosts = new Map<string, { all: number; slow: number }>();
  for (const task of running) {
    const { host } = placeOf(task, new Set());
    const count = hosts.get(host) ?? { all: 0, slow: 0 };
    count.all += 1;
    if (nowMs - task.startedMs > slowAfterMs) count.slow += 1;
    hosts.set(host, count);
  }
  return new Set([...hosts].filter(([, { all, slow }]) => slow * 2 >= all).map(([host]) => host));
}
