/** What `run --once` and `sync` share: an engine for the duration of the work, progress, a closing summary, an exit code. */
import { systemClock } from '../base/clock.ts';
import { EngineError, type ErrorRecord } from '../base/errors.ts';
import { isJournal } from '../base/journal.ts';
import type { Config } from '../config/schema.ts';
import { storeFile } from '../config/store-location.ts';
import type { Engine } from '../engine/engine.ts';
import type { HolderRecord } from '../engine/launch/holder.ts';
import type { AccountScope } from '../engine/run-passes.ts';
import type { FolderReport, PassReport } from '../sync/pass.ts';
import type { CliContext } from './context.ts';
import { exitCodeOfAll, exitCodes } from './exit-code.ts';
import { createProgressDisplay, formatBytes, formatSeconds } from './progress-display.ts';

export interface PassesOptions {
  /** Makes the log tell more. */
  readonly isDebug: boolean;
  /** `run`: the outbox is drained, mail that was stored is read, and what has expired goes. */
  readonly isRun: boolean;
  /** What to do, once the store is open. */
  readonly findWork: (engine: Engine) => Promise<readonly AccountScope[]>;
}

export interface PassesResult {
  readonly reports: readonly PassReport[];
  /** Mails that left the outbox. */
  readonly sentCount: number;
  readonly seconds: number;
}

export interface AtWork {
  /** Who holds the lock; null: not known. */
  readonly holder: HolderRecord | null;
}

/** SIGTERM and SIGINT end the passes; what is committed stays. */
export async function runPasses(context: CliContext, options: PassesOptions): Promise<PassesResult | AtWork> {
  const startedMs = performance.now();
  const loaded = await context.loadConfig();
  const config = options.isDebug ? { ...loaded.config, BG_LOG_LEVEL: 'debug' as const } : loaded.config;
  const { launch } = await import('../engine/launch/launch.ts');
  const launchNotes: string[] = [];
  const answer = await launch({
    ...launchOptions(context, config, launchNotes),
    askToStop: () => Promise.resolve(false),
  });
  if (answer.kind === 'stuck') throw new EngineError('locked', answer.detail);
  if (answer.kind === 'at-work') return { holder: answer.record };
  const { openEngine } = await import('../engine/engine.ts');
  const display = context.isTerminal ? createProgressDisplay(context.stdout) : null;
  const stopping = stopOnSignals();
  process.title = 'backproc: running';
  const engine = await openEngine({
    config,
    configFile: loaded.file,
    version: context.version,
    lock: answer.lock,
    launchNotes,
    isJournal: isJournal(context.env.JOURNAL_STREAM),
    control: null,
    onProgress: (progress) => display?.progress(progress),
    onStir: () => undefined,
    onLost: () => undefined,
    onBroken: (why) => stopping.abort(new EngineError('aborted', why)),
    onProblem: (text) => void context.stderr.write(`backproc: ${text}\n`),
    crashAt: Number(context.env.BACKPROC_TEST_CRASH_AT ?? 0),
  });
  const stop = (): void => void engine.threads.stop(stopMs);
  stopping.signal.addEventListener('abort', stop, { once: true });
  try {
    await engine.store.takeNewPasswords();
    const work = await options.findWork(engine);
    process.title = `backproc: running ${work.length} accounts`;
    const { runPasses: runAll } = await import('../engine/run-passes.ts');
    const onReport = (report: PassReport): void => display?.report(report);
    // Mail that waits to be sent does not wait for a first sync; what came in meanwhile goes, and Sent copies are filed, after it.
    const sentBefore = options.isRun ? await drainOutbox(engine, stopping.signal) : 0;
    const reports = await runAll(engine, { config, work, onReport, signal: stopping.signal });
    const sentAfter = options.isRun ? await drainOutbox(engine, stopping.signal) : 0;
    if (options.isRun) await afterwards(engine, stopping.signal);
    display?.clear();
    // Nobody asked for this end: it is told, as the passes that it cut short can't.
    if (stopping.signal.reason instanceof EngineError) throw stopping.signal.reason;
    return { reports, sentCount: sentBefore + sentAfter, seconds: (performance.now() - startedMs) / 1000 };
  } finally {
    const { steps } = await engine.close(stopMs);
    if (context.env.BACKPROC_TEST_CRASH_AT !== undefined) context.stderr.write(`durable steps: ${steps}\n`);
    if (stopping.signal.aborted) context.setExitCode(exitCodes.retry);
  }
}

async function drainOutbox(engine: Engine, signal: AbortSignal): Promise<number> {
  const { runOutbox } = await import('../engine/run-outbox.ts');
  return (await runOutbox(engine, systemClock, signal)).deliveredCount;
}

async function afterwards(engine: Engine, signal: AbortSignal): Promise<void> {
  const { readerVersion } = await import('../mime/reader-version.ts');
  if (engine.config.EMAIL_READING_ENABLED && (await engine.store.hasUnread(readerVersion))) {
    const { runReading } = await import('../engine/run-reading.ts');
    await runReading(engine, signal);
  }
  const { upkeepOf } = await import('../engine/upkeep-of.ts');
  await upkeepOf(engine, systemClock, signal).tick();
}

/** Cutting passes short loses nothing: it need not be waited for long. */
const stopMs = 10_000;

/** What it says goes to stderr at once, and to `notes` for the log, which is whoever's has the lock. */
export const launchOptions = (context: CliContext, config: Config, notes: string[]) => ({
  storeFile: storeFile(config),
  version: context.version,
  say(text: string) {
    notes.push(text);
    context.stderr.write(`backproc: ${text}\n`);
  },
});

function stopOnSignals(): AbortController {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
  return stopping;
}

const errorsOf = ({ error, folders }: PassReport): ErrorRecord[] =>
  [error, ...folders.map((folder) => folder.error)].filter((one) => one !== null);

export const exitCodeOfReports = (reports: readonly PassReport[]): number => exitCodeOfAll(reports.flatMap(errorsOf));

/** What is no account's trouble (a full disk, a defect): nobody hears of it from the state of the accounts. */
export const ownFailure = (reports: readonly PassReport[]): ErrorRecord | null =>
  reports.flatMap(errorsOf).find(({ code, scope }) => scope === 'process' && code !== 'aborted') ?? null;

export function firstError(reports: readonly PassReport[]): string | null {
  const errors = reports.flatMap((report) =>
    errorsOf(report).map(({ code, detail }) => `account ${report.acntid}: ${code}${detail && `: ${detail}`}`),
  );
  return errors.length === 0
    ? null
    : `${errors[0]}${errors.length > 1 ? ` (and ${errors.length - 1} more; see the log)` : ''}`;
}

export function summary({ reports, sentCount, seconds }: PassesResult): string {
  const folders = reports.flatMap((report) => report.folders);
  const total = (of: (folder: FolderReport) => number): number => folders.reduce((sum, folder) => sum + of(folder), 0);
  const unchanged = reports.reduce((sum, report) => sum + report.unchangedCount, 0);
  const parts = [
    `${reports.length} accounts, ${folders.length} folders synced, ${unchanged} unchanged`,
    `${total((folder) => folder.receivedCount)} messages received (${formatBytes(total((folder) => folder.receivedBytes))})`,
    `${total((folder) => folder.flagCount)} flags changed, ${total((folder) => folder.vanishedCount)} vanished`,
    `${total((folder) => folder.quarantinedCount)} quarantined`,
    ...(sentCount > 0 ? [`${sentCount} sent`] : []),
  ];
  return `${parts.join('; ')}; ${formatSeconds(seconds)}`;
}
