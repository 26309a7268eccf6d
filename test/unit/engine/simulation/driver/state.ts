/** What the parts of the planner share: its ports, what runs, and the rules in force. Instants in milliseconds. */

import type { Servers } from '../../../../../src/engine/loop/servers.ts';
import type { Ceilings, Running } from '../../../../../src/engine/pick/situation.ts';
import type { Rules } from '../../../../../src/engine/schedule/account.ts';
import type { TaskKind } from '../../../../../src/engine/schedule/task-class.ts';
import type { Work } from '../../../../../src/engine/schedule.ts';
import type { Queue } from '../../../../../src/queue/queue.ts';
import type { Store } from '../../../../../src/store/store.ts';
import type { Counts, Moment } from './next-tasks.ts';

export interface PlannerPorts {
  readonly store: Pick<
    Store,
    'accountTimes' | 'accountTimesPage' | 'accountCount' | 'serverRests' | 'recordServerRest'
  >;
  readonly queue: Queue;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** Of the configuration as it is now; asked at each refill. */
  readonly rules: (dailySpreadMs: number) => Rules;
  readonly ceilings: () => Ceilings;
  readonly log: (message: string) => void;
}

/** A task that starts now. It counts as running until `ended` is told of it. */
export interface Planned extends Running {
  readonly kind: TaskKind;
  /** What to sync; null: it is no sync. */
  readonly work: Work | null;
  /** To be ended after this long, finished or not; null: when it is done. */
  readonly sliceMs: number | null;
  readonly counts: Counts;
}

export interface PlannerState extends PlannerPorts {
  readonly running: Set<Planned>;
  readonly servers: Servers;
  /** When a server began to answer again: what waited for that was not late before. */
  readonly wellSinceMs: Map<string, number>;
  /** Lanes of accounts that pause, as `kind acntid`: a run of the other lane leaves them alone. */
  readonly pausing: Set<string>;
  rulesNow: Rules;
}

export const momentOf = (state: PlannerState, server: string): Moment => ({
  rules: state.rulesNow,
  nowMs: state.nowMs(),
  serverOkMs: state.servers.of(server).okMs,
});
