/**
 * Sync as a kind of work: `sync` and `bulk` tasks become passes. What is done is decided at the start, by the account as it
 * stands then; what somebody asked for (a command, a server that told of new mail) goes before what is due.
 */
import { type Clock, toInstant } from '../../base/clock.ts';
import type { ErrorRecord } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { QueuedTask } from '../../queue/queue.ts';
import type { Store } from '../../store/store.ts';
import { accountBackoff } from '../../sync/backoff.ts';
import type { PassTask } from '../../sync/pass.ts';
import type { Rules, ScheduledAccount } from '../schedule/account.ts';
import { scopeAt } from '../schedule.ts';
import type { TaskOutcome, Threads } from '../threads/threads.ts';
import type { KindOfWork } from './dispatcher.ts';
import type { KeptConnections } from './kept.ts';
import type { Planner } from './planner.ts';
import type { Servers } from './servers.ts';
import type { Wishes } from './wishes.ts';

export interface PassKindOptions {
  readonly store: Pick<Store, 'account' | 'recordHealth'>;
  readonly threads: Pick<Threads, 'run'>;
  readonly planner: Planner;
  readonly servers: Servers;
  readonly wishes: Wishes;
  readonly kept: KeptConnections;
  readonly rules: () => Rules;
  readonly connectionsPerAccount: () => number;
  /** A pass brought mail. */
  readonly onReceived: () => void;
  /** A pass that we cut ourselves is nobody's failure. */
  readonly isStopping: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export function createPassKind(options: PassKindOptions): KindOfWork {
  const { kept, planner, wishes, connectionsPerAccount } = options;
  return {
    // A folder of its own for each connection, as long as there are some; prompt work has few folders.
    connectionCountMax: (task) => (task.kind === 'bulk' ? connectionsPerAccount() : 1),
    begin: ({ acntid }) => kept.drop(acntid),
    async run(task, start) {
      const account = await planner.account(task.acntid);
      if (!account) return gone(wishes, task.acntid);
      const { pass, settle } = decide(options, task, account, start);
      if (pass === null) return planner.tasksOf(account);
      const startedMs = options.clock().getTime();
      const outcome = await options.threads.run('pass', pass, task.acntid);
      settle(outcome);
      return record(options, task, pass, account.server, startedMs, outcome);
    },
  };
}

function gone(wishes: Wishes, acntid: number): [] {
  wishes.fail(acntid);
  return [];
}

interface Decision {
  /** Null: nothing is to be done after all. */
  readonly pass: PassTask | null;
  readonly settle: (outcome: TaskOutcome<'pass'>) => void;
}

function decide(
  { wishes, rules, kept, clock }: PassKindOptions,
  { acntid, kind }: QueuedTask,
  account: ScheduledAccount,
  { connections, sliceMs }: { connections: number; sliceMs: number | null },
): Decision {
  const nowMs = clock().getTime();
  const wish = wishes.take(acntid);
  const settle = wish?.settle ?? (() => undefined);
  const lane = kind === 'sync' ? 'prompt' : undefined;
  const scope = wish?.scope ?? scopeAt(account, rules(), nowMs, lane)?.scope;
  if (scope === undefined) return { pass: null, settle };
  const keep = kept.wish(account, nowMs);
  return { pass: { acntid, scope, connections, keep, sliceMs: wish ? null : sliceMs }, settle };
}

async function record(
  options: PassKindOptions,
  task: QueuedTask,
  pass: PassTask,
  server: string,
  startedMs: number,
  outcome: TaskOutcome<'pass'>,
): Promise<QueuedTask[]> {
  const { planner, servers, wishes, clock, kept } = options;
  const { acntid, keep } = pass;
  const endedMs = clock().getTime();
  if ('report' in outcome && outcome.report.isKept) kept.note(acntid, server, keep, endedMs);
  else kept.drop(acntid);
  if ('error' in outcome && !options.isStopping()) await recordLoss(options, acntid, outcome.error);
  const error = 'error' in outcome ? outcome.error : outcome.report.error;
  if (await servers.note(server, { acntid, startedMs, endedMs, error })) await onRecovery(options, server);
  const account = await planner.account(acntid);
  if (!account) return gone(wishes, acntid);
  const report = 'report' in outcome ? outcome.report : null;
  const hasReceived = report?.folders.some(({ receivedCount }) => receivedCount > 0) ?? false;
  if (hasReceived) options.onReceived();
  if (error === null && keep !== 'watch' && kept.couldWatch(account, endedMs)) wishes.stir(acntid);
  // An unfinished slice left something on purpose.
  const wasUseful = hasReceived || report?.isUnfinished === true;
  return planner.tasksAfter(account, task, { scope: pass.scope, startedMs, hasFailed: error !== null, wasUseful });
}

/** Accounts that failed for the sake of their server need not wait for their own retry. */
async function onRecovery({ planner, log }: PassKindOptions, server: string): Promise<void> {
  log.info(`${server} answers again`);
  await planner.replanServer(server);
}

/** A pass that ended without a word of its own (its thread died, it ran too long) has backed nobody off. */
async function recordLoss({ store, clock }: PassKindOptions, acntid: number, failure: ErrorRecord): Promise<void> {
  const account = await store.account(acntid);
  if (!account) return;
  const nowMs = clock().getTime();
  const given = { failureCount: account.failureCount, operatorWaitMs: 0, nowMs };
  const { failureCount, retryAtMs } = accountBackoff(failure, given);
  await store.recordHealth(acntid, {
    state: 'backoff',
    lastError: `${failure.code}: ${failure.detail}`.slice(0, 500),
    retryAt: toInstant(new Date(retryAtMs)),
    checkedAt: toInstant(new Date(nowMs)),
    failureCount,
  });
}
