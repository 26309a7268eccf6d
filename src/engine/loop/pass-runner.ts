/**
 * One sync task from the queue, from its start to its place in the queue again. What is done is decided at the start, by the
 * account as it stands then; what somebody asked for (a command, a server that told of new mail) goes before what is due.
 */
import { type Clock, toInstant } from '../../base/clock.ts';
import type { ErrorRecord } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { QueuedTask } from '../../queue/queue.ts';
import type { Store } from '../../store/store.ts';
import { retryAtMs } from '../../sync/backoff.ts';
import type { KeepWish, PassReport, Scope } from '../../sync/pass.ts';
import type { Start } from '../pick/situation.ts';
import type { Rules, ScheduledAccount } from '../schedule/account.ts';
import { scopeAt } from '../schedule.ts';
import type { TaskOutcome, Threads } from '../threads.ts';
import type { Planner } from './planner.ts';
import type { Servers } from './servers.ts';
import type { Wishes } from './wishes.ts';

export interface PassRunnerOptions {
  readonly store: Store;
  readonly threads: Threads;
  readonly planner: Planner;
  readonly servers: Servers;
  readonly wishes: Wishes;
  readonly rules: () => Rules;
  readonly keepWish: (account: ScheduledAccount) => KeepWish;
  /** A pass that we cut ourselves is nobody's failure. */
  readonly isStopping: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** What becomes of the account's tasks; null: the account is gone. */
export type PassEnd = PassOutcome | null;

export interface PassOutcome {
  readonly next: readonly QueuedTask[];
  readonly account: ScheduledAccount;
  /** What its connection is kept for. */
  readonly kept: KeepWish;
}

export type RunPass = (task: QueuedTask, start: Pick<Start, 'connections' | 'sliceMs'>) => Promise<PassEnd>;

export function createPassRunner(options: PassRunnerOptions): RunPass {
  const { threads, planner, wishes, rules, keepWish, clock } = options;
  return async (task, { connections, sliceMs }) => {
    const { acntid } = task;
    const account = await planner.account(acntid);
    if (!account) {
      wishes.fail(acntid);
      return null;
    }
    const wish = wishes.take(acntid);
    const lane = task.kind === 'sync' ? 'prompt' : undefined;
    const scope = wish?.scope ?? scopeAt(account, rules(), clock().getTime(), lane)?.scope;
    if (scope === undefined) return { next: planner.tasksOf(account), account, kept: 'no' };
    const startedMs = clock().getTime();
    const pass = { acntid, scope, connections, keep: keepWish(account), sliceMs: wish ? null : sliceMs };
    const outcome = await threads.run('pass', pass, acntid);
    wish?.settle(outcome);
    const end = await record(options, account, scope, startedMs, outcome);
    return end && { ...end, kept: 'report' in outcome && outcome.report.isKept ? pass.keep : 'no' };
  };
}

async function record(
  options: PassRunnerOptions,
  before: ScheduledAccount,
  scope: Scope,
  startedMs: number,
  outcome: TaskOutcome<'pass'>,
): Promise<Omit<PassOutcome, 'kept'> | null> {
  const { planner, servers, clock, wishes } = options;
  const { acntid, server } = before;
  const error = 'error' in outcome ? outcome.error : outcome.report.error;
  if ('error' in outcome && !options.isStopping()) await recordLoss(options, acntid, outcome.error);
  const hasRecovered = await servers.note(server, { acntid, startedMs, endedMs: clock().getTime(), error });
  if (hasRecovered) options.log.info(`${server} answers again`);
  const account = await planner.account(acntid);
  if (!account) return null;
  if (isScheduled(scope) && 'report' in outcome && isWell(outcome.report)) planner.noteFruit(account);
  const next = wishes.has(acntid) ? urgent(planner.tasksOf(account), account, clock) : planner.tasksOf(account);
  return { next, account };
}

const isScheduled = (scope: Scope): boolean => scope.kind === 'schedule';

/** An unfinished slice left something on purpose. */
const isWell = ({ error, isUnfinished }: PassReport): boolean => error === null && !isUnfinished;

/** Asked for while it ran: at once again. */
export function urgent(tasks: readonly QueuedTask[], account: ScheduledAccount, clock: Clock): QueuedTask[] {
  const { acntid, server } = account;
  const task = {
    kind: 'sync',
    acntid,
    server,
    class: 'live',
    dueMs: clock().getTime(),
    attempts: 0,
    fruitlessCount: 0,
  };
  return [...tasks.filter(({ kind }) => kind !== 'sync'), task];
}

/** A pass that ended without a word of its own (its thread died, it ran too long) has backed nobody off. */
async function recordLoss({ store, clock }: PassRunnerOptions, acntid: number, failure: ErrorRecord): Promise<void> {
  const account = await store.account(acntid);
  if (!account) return;
  const failureCount = account.failureCount + 1;
  const nowMs = clock().getTime();
  await store.recordHealth(acntid, {
    state: 'backoff',
    lastError: `${failure.code}: ${failure.detail}`.slice(0, 500),
    retryAt: toInstant(new Date(retryAtMs(failure, failureCount, nowMs))),
    checkedAt: toInstant(new Date(nowMs)),
    failureCount,
  });
}
