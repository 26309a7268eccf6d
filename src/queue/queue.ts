/**
 * Tasks and their state: what is due when, what runs, how late things start. Verbs, not tables: SQLite on a RAM disk stands
 * behind it here; one contract suite tests every implementation. All of it may vanish at any time: it is made again from
 * the store, so no verb promises to survive anything but a clean end. Instants are milliseconds, UTC.
 */

/** At most one task of a kind for each account. Tasks that belong to no account use 0 and a kind of their own. */
export interface TaskKey {
  readonly kind: string;
  readonly acntid: number;
}

export interface QueuedTask extends TaskKey {
  /** Tasks are handed out by server, so that one server's backlog hides nobody else's task; empty: none is needed. */
  readonly server: string;
  /** What may wait for what (engine/schedule/task-class.ts); here it is only a name. */
  readonly class: string;
  readonly dueMs: number;
  /** Failures in a row. */
  readonly attempts: number;
  /** Runs in a row that ended well and changed nothing. */
  readonly fruitlessCount: number;
}

export interface TaskState extends QueuedTask {
  readonly runningSinceMs: number | null;
}

export interface StartedTask extends TaskKey {
  readonly class: string;
  /** How long after its time it starts. */
  readonly lateMs: number;
}

export interface DueAsk {
  readonly kinds: readonly string[];
  readonly nowMs: number;
  /** Servers that have no room: their tasks are not even looked at. */
  readonly skipServers: ReadonlySet<string>;
  /** At most this many for each kind, class and server. */
  readonly countPerServer: number;
  readonly countMax: number;
}

export interface ClassCount {
  readonly kind: string;
  readonly class: string;
  readonly waiting: number;
  /** Of those waiting. */
  readonly due: number;
  readonly running: number;
}

export interface Lateness {
  readonly class: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly worstMs: number;
}

export interface Queue {
  /** Replaces what was known of these tasks. One that runs goes on running; the rest holds for when it has ended. */
  put(tasks: readonly QueuedTask[]): Promise<void>;
  /** Waiting tasks that are due, the oldest of each kind, class and server; groups with the oldest tasks first. */
  due(ask: DueAsk): Promise<QueuedTask[]>;
  /** When the next waiting task is due, or a little earlier: of these kinds, those of some servers left out; null: none. */
  nextDueMs(skipServers: ReadonlySet<string>, kinds?: readonly string[]): Promise<number | null>;
  /** They run from `atMs` on, and are not handed out again before their end. What is not in the queue is ignored. */
  start(tasks: readonly StartedTask[], atMs: number): Promise<void>;
  /** The run is over; `next` is put in its place. The task itself is gone unless it is among them. */
  end(key: TaskKey, next: readonly QueuedTask[]): Promise<void>;
  /** Running or not. */
  remove(keys: readonly TaskKey[]): Promise<void>;
  /** All of the kind that do not run. */
  clear(kind: string): Promise<void>;
  tasksOf(acntid: number): Promise<TaskState[]>;
  running(): Promise<TaskState[]>;
  /** Accounts with waiting tasks on this server that failed the last time. */
  failing(server: string): Promise<number[]>;
  counts(nowMs: number): Promise<ClassCount[]>;
  /** By class, of what started since `sinceMs` (to the hour), within the last day. */
  lateness(sinceMs: number): Promise<Lateness[]>;
  /** May be called twice. */
  close(): Promise<void>;
}
