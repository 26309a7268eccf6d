/** What `pick` is given and what it answers: plain data, instants in milliseconds. */
import type { Pool, TaskClass } from '../schedule/task-class.ts';

export interface Candidate {
  readonly class: TaskClass;
  readonly acntid: number;
  /** `host:port`; null: needs no connection. */
  readonly server: string | null;
  readonly dueMs: number;
  /** More connections than this are of no use to it. */
  readonly connectionCountMax: number;
}

export interface Running {
  readonly class: TaskClass;
  readonly acntid: number;
  readonly server: string | null;
  readonly connections: number;
  readonly startedMs: number;
}

/** A connection kept open between passes (IDLE). A pass of its account uses it. */
export interface Kept {
  readonly acntid: number;
  readonly server: string;
}

export interface Ceilings {
  /** Tasks at a time. */
  readonly slots: Readonly<Record<Pool, number>>;
  readonly connectionsPerHost: number;
  readonly connectionsPerAccount: number;
}

/** What is in use, and its bounds. */
export interface Situation {
  readonly running: readonly Running[];
  readonly kept: readonly Kept[];
  readonly ceilings: Ceilings;
  /** Passes that a server may have at a time, while it rests or is tried again (schedule/server-health.ts). */
  readonly allowedOn: (server: string) => number;
  readonly nowMs: number;
}

export interface Start<Task extends Candidate = Candidate> {
  readonly task: Task;
  readonly connections: number;
  /** The task is to end after this long, finished or not; null: when it is done. */
  readonly sliceMs: number | null;
}
