/** Passes for a single command (`run --once`, `sync`): all of them side by side, within the connections that a host grants. */
import { EngineError, toErrorRecord } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import { failedPass, type PassReport, type Scope } from '../sync/pass.ts';
import { createBudget } from './budget.ts';
import type { Engine } from './engine.ts';

export interface AccountScope {
  readonly acntid: number;
  readonly scope: Scope;
}

export interface RunPassesOptions {
  readonly config: Config;
  readonly work: readonly AccountScope[];
  /** Of every pass, as it ends. */
  readonly onReport: (report: PassReport) => void;
  readonly signal: AbortSignal;
}

/** All reports, in the order in which the passes ended. */
export async function runPasses({ store, threads, log }: Engine, options: RunPassesOptions): Promise<PassReport[]> {
  const { config, work, signal, onReport } = options;
  const hosts = new Map((await store.accounts()).map((account) => [account.acntid, account.imap.host]));
  const hostOf = (acntid: number): string => hosts.get(acntid) ?? '';
  const limits = { perHost: config.BG_MAX_CONNECTIONS_PER_HOST, perAccount: config.BG_MAX_CONNECTIONS_PER_ACCOUNT };
  const budget = createBudget(
    limits,
    countBy(work, ({ acntid }) => hostOf(acntid)),
  );
  const reports: PassReport[] = [];
  const runOne = async ({ acntid, scope }: AccountScope): Promise<void> => {
    const grant = await budget.take(hostOf(acntid));
    const task = { acntid, scope, connections: grant.connections, keep: 'no', sliceMs: null } as const;
    const outcome = signal.aborted ? { error: aborted } : await threads.run('pass', task, acntid);
    grant.release();
    const report = 'report' in outcome ? outcome.report : failedPass(acntid, outcome.error);
    reports.push(report);
    onReport(report);
  };
  await Promise.all(work.map(runOne));
  log.debug(`${work.length} passes ended`);
  return reports;
}

const aborted = toErrorRecord(new EngineError('aborted', ''));

function countBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(keyOf(value), (counts.get(keyOf(value)) ?? 0) + 1);
  return counts;
}
