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
import { spreadOverdue } from '../schedule/spread.ts';
import { nextDue } from '../schedule.ts';
import type { Servers } from './servers.ts';

export interface Planner {
  /** All accounts anew; what is overdue is spread, so that a restart is no stampede. */
  fill(): Promise<void>;
  replan(acntids: readonly number[]): Promise<void>;
  /** The server answers again: whoever failed for its sake is due. */
  replanServer(server: string): Promise<void>;
  /** The account as it stands now; undefined: it is gone. */
  account(acntid: number): Promise<ScheduledAccount | undefined>;
  /** What the account's place in the queue is to be. */
  tasksOf(account: ScheduledAccount): QueuedTask[];
  /** After a pass that ended well: did it leave the same thing due? */
  noteFruit(account: ScheduledAccount): void;
  readonly accountCount: number;
}

export interface PlannerOptions {
  readonly store: Store;
  readonly queue: Queue;
  readonly servers: Servers;
  readonly rules: () => Rules;
  readonly clock: Clock;
}

const lanes = [
  { lane: 'prompt', kind: 'sync' },
  { lane: 'bulk', kind: 'bulk' },
] as const;

export const syncKinds = lanes.map(({ kind }) => kind);

export function createPlanner({ store, queue, servers, rules, clock }: PlannerOptions): Planner {
  /** Only where it is not 0. */
  const fruitless = new Map<number, number>();
  let accountCount = 0;
  const nowMs = (): number => clock().getTime();

  const schedule = (times: AccountTimes): ScheduledAccount => {
    const { retryMs, okMs } = servers.of(times.server);
    const fruitlessCount = fruitless.get(times.acntid) ?? 0;
    return scheduledAccount(times, { fruitlessCount, serverRetryMs: retryMs, serverOkMs: okMs });
  };
  const tasksOf = (account: ScheduledAccount): QueuedTask[] =>
    lanes.flatMap(({ lane, kind }) => {
      const due = nextDue(account, rules(), nowMs(), lane);
      if (due === null) return [];
      const { acntid, server, fruitlessCount, failureCode } = account;
      return [
        {
          kind,
          acntid,
          server,
          class: due.class,
          dueMs: due.atMs,
          attempts: failureCode === null ? 0 : 1,
          fruitlessCount,
        },
      ];
    });
  const account = async (acntid: number): Promise<ScheduledAccount | undefined> => {
    const times = await store.accountTimes(acntid);
    return times && schedule(times);
  };

  const replan = async (acntids: readonly number[]): Promise<void> => {
    for (const acntid of acntids) {
      const now = await account(acntid);
      const tasks = now ? tasksOf(now) : [];
      const kinds = new Set(tasks.map(({ kind }) => kind));
      await queue.remove(syncKinds.filter((kind) => !kinds.has(kind)).map((kind) => ({ kind, acntid })));
      await queue.put(tasks);
    }
  };

  return {
    get accountCount() {
      return accountCount;
    },
    account,
    tasksOf,
    async fill() {
      accountCount = await store.accountCount();
      const startMs = nowMs();
      for await (const page of allAccountTimes(store)) {
        const tasks = page.flatMap((times) => tasksOf(schedule(times)));
        const spread = (task: QueuedTask): number => spreadOverdue(task.acntid, task.dueMs, accountCount, startMs);
        await queue.put(tasks.map((task) => ({ ...task, dueMs: spread(task) })));
      }
    },
    replan,
    replanServer: async (server) => replan(await queue.failing(server)),
    noteFruit(after) {
      const due = nextDue({ ...after, fruitlessCount: 0 }, rules(), nowMs());
      if (due !== null && due.atMs <= nowMs()) fruitless.set(after.acntid, (fruitless.get(after.acntid) ?? 0) + 1);
      else fruitless.delete(after.acntid);
    },
  };
}
