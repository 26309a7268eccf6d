/**
 * Keeps the queue in step with the store: for every account, when its next prompt and its next bulk pass are due. The store is
 * the truth; the queue can be filled again from it at any time.
 */
import type { Clock } from '../../base/clock.ts';
import type { Queue, QueuedTask } from '../../queue/queue.ts';
import type { AccountTimes } from '../../store/schedule.ts';
import type { Store } from '../../store/store.ts';
import { allAccountTimes, scheduledAccount } from '../due.ts';
import type { Rules, ScheduledAccount } from '../schedule/account.ts';
import {
  firstTasks,
  kindOf,
  laneOf,
  type Moment,
  nextTasks,
  type RunEnd,
  syncKinds,
  tasksAfterRun,
  urgentTasks,
} from '../schedule/next-tasks.ts';
import type { Lane } from '../schedule/rules.ts';
import type { Servers } from './servers.ts';

export interface Planner {
  /**
   * All accounts anew; what is overdue is spread, so that a restart is no stampede. A call while one is under way makes that
   * one begin again: what it has read may be old.
   */
  fill(): Promise<void>;
  replan(acntids: readonly number[]): Promise<void>;
  /** The server answers again: whoever failed for its sake is due. */
  replanServer(server: string): Promise<void>;
  /** The account as it stands now; undefined: it is gone. */
  account(acntid: number): Promise<ScheduledAccount | undefined>;
  /** What the account's places in the queue are to be. */
  tasksOf(account: ScheduledAccount): QueuedTask[];
  /** The same after a run of `task`. */
  tasksAfter(account: ScheduledAccount, task: QueuedTask, run: Omit<RunEnd, 'lane'>): QueuedTask[];
  readonly accountCount: number;
}

export interface PlannerOptions {
  readonly store: Pick<Store, 'accountTimes' | 'accountTimesPage' | 'accountCount'>;
  readonly queue: Queue;
  readonly servers: Servers;
  readonly rules: () => Rules;
  /** Somebody asked for a pass, so its turn is now, whatever else is planned for it. */
  readonly isWanted: (acntid: number) => boolean;
  readonly clock: Clock;
}

export function createPlanner({ store, queue, servers, rules, isWanted, clock }: PlannerOptions): Planner {
  /** Places that pause, as `kind acntid`: a run of the account's other one leaves them alone. */
  const pausing = new Set<string>();
  let accountCount = 0;
  const moment = (): Moment => ({ rules: rules(), nowMs: clock().getTime() });

  /** Rests of servers are no business of single tasks: nothing is handed out for them meanwhile. */
  const schedule = (times: AccountTimes): ScheduledAccount =>
    scheduledAccount(times, { pause: null, serverRetryMs: null, serverOkMs: servers.of(times.server).okMs });
  const account = async (acntid: number): Promise<ScheduledAccount | undefined> => {
    const times = await store.accountTimes(acntid);
    return times && schedule(times);
  };
  const placed = (now: ScheduledAccount, tasks: QueuedTask[]): QueuedTask[] => {
    for (const { kind, acntid, fruitlessCount } of tasks)
      if (fruitlessCount > 0) pausing.add(`${kind} ${acntid}`);
      else pausing.delete(`${kind} ${acntid}`);
    return isWanted(now.acntid) ? urgentTasks(now, tasks, clock().getTime()) : tasks;
  };
  const first = (now: ScheduledAccount): QueuedTask[] => placed(now, firstTasks(now, moment(), accountCount));

  const replan = async (acntids: readonly number[]): Promise<void> => {
    for (const acntid of acntids) {
      const now = await account(acntid);
      const tasks = now ? placed(now, nextTasks(now, moment())) : [];
      const kinds = new Set(tasks.map(({ kind }) => kind));
      await queue.remove(syncKinds.filter((kind) => !kinds.has(kind)).map((kind) => ({ kind, acntid })));
      await queue.put(tasks);
    }
  };
  const fillOnce = async (isStale: () => boolean): Promise<void> => {
    accountCount = await store.accountCount();
    pausing.clear();
    for (const kind of syncKinds) await queue.clear(kind);
    for await (const page of allAccountTimes(store)) {
      await queue.put(page.flatMap((times) => first(schedule(times))));
      if (isStale()) return;
    }
  };

  return {
    get accountCount() {
      return accountCount;
    },
    account,
    tasksOf: (now) => placed(now, nextTasks(now, moment())),
    tasksAfter(now, task, run) {
      const isPausing = (lane: Lane): boolean => pausing.has(`${kindOf[lane]} ${task.acntid}`);
      return placed(now, tasksAfterRun(now, { ...run, lane: laneOf(task.kind) }, task, isPausing, moment()));
    },
    fill: restartable(fillOnce),
    replan,
    replanServer: async (server) => replan(await queue.failing(server)),
  };
}

/** One at a time. */
function restartable(work: (isStale: () => boolean) => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> | null = null;
  let isStale = false;
  const run = async (): Promise<void> => {
    try {
      do {
        isStale = false;
        await work(() => isStale);
      } while (isStale);
    } finally {
      // In the same breath as the last look at `isStale`: a call from now on begins anew.
      underWay = null;
    }
  };
  return () => {
    isStale = underWay !== null;
    underWay ??= run();
    return underWay;
  };
}
