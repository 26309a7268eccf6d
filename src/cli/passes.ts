/** What `run --once` and `sync` share: an engine for the duration of the work, progress, a closing summary, an exit code. */
import type { ErrorRecord } from '../base/errors.ts';
import type { AccountScope, Engine } from '../engine/engine.ts';
import type { FolderReport, PassReport } from '../sync/pass.ts';
import type { CliContext } from './context.ts';
import { exitCodeOfAll } from './exit-code.ts';
import { createProgressDisplay, formatBytes, formatSeconds } from './progress-display.ts';

export interface PassesOptions {
  /** Makes the log tell more. */
  readonly isDebug: boolean;
  /** What to do, once the store is open. */
  readonly findWork: (engine: Engine) => Promise<readonly AccountScope[]>;
}

export interface PassesResult {
  readonly reports: readonly PassReport[];
  readonly seconds: number;
}

/** Null: another engine is at work on this store. SIGTERM and SIGINT end the passes; what is committed stays. */
export async function runPasses(context: CliContext, options: PassesOptions): Promise<PassesResult | null> {
  const startedMs = performance.now();
  const loaded = await context.loadConfig();
  const config = options.isDebug ? { ...loaded.config, BG_LOG_LEVEL: 'debug' as const } : loaded.config;
  const { openEngine } = await import('../engine/engine.ts');
  const display = context.isTerminal ? createProgressDisplay(context.stdout) : null;
  const stopping = stopOnSignals();
  process.title = 'backproc: running';
  const engine = await openEngine({
    config,
    configFile: loaded.file,
    signal: stopping.signal,
    onProgress: (progress) => display?.progress(progress),
    onReport: (report) => display?.report(report),
    onProblem: (text) => void context.stderr.write(`backproc: ${text}\n`),
    crashAt: Number(context.env.BACKPROC_TEST_CRASH_AT ?? 0),
  });
  if (!engine) return null;
  try {
    await engine.store.takeNewPasswords();
    const work = await options.findWork(engine);
    process.title = `backproc: running ${work.length} accounts`;
    const reports = await engine.runPasses(work);
    display?.clear();
    return { reports, seconds: (performance.now() - startedMs) / 1000 };
  } finally {
    const { steps } = await engine.close();
    if (context.env.BACKPROC_TEST_CRASH_AT !== undefined) context.stderr.write(`durable steps: ${steps}\n`);
  }
}

function stopOnSignals(): AbortController {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
  return stopping;
}

const errorsOf = ({ error, folders }: PassReport): ErrorRecord[] =>
  [error, ...folders.map((folder) => folder.error)].filter((one) => one !== null);

export const exitCodeOfReports = (reports: readonly PassReport[]): number => exitCodeOfAll(reports.flatMap(errorsOf));

export function firstError(reports: readonly PassReport[]): string | null {
  const errors = reports.flatMap((report) =>
    errorsOf(report).map((error) => `account ${report.acntid}: ${error.code}: ${error.detail}`),
  );
  return errors.length === 0
    ? null
    : `${errors[0]}${errors.length > 1 ? ` (and ${errors.length - 1} more; see the log)` : ''}`;
}

export function summary({ reports, seconds }: PassesResult): string {
  const folders = reports.flatMap((report) => report.folders);
  const total = (of: (folder: FolderReport) => number): number => folders.reduce((sum, folder) => sum + of(folder), 0);
  const unchanged = reports.reduce((sum, report) => sum + report.unchangedCount, 0);
  const parts = [
    `${reports.length} accounts, ${folders.length} folders synced, ${unchanged} unchanged`,
    `${total((folder) => folder.receivedCount)} messages received (${formatBytes(total((folder) => folder.receivedBytes))})`,
    `${total((folder) => folder.flagCount)} flags changed, ${total((folder) => folder.vanishedCount)} vanished`,
    `${total((folder) => folder.quarantinedCount)} quarantined`,
  ];
  return `${parts.join('; ')}; ${formatSeconds(seconds)}`;
}
