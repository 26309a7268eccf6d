/**
 * An engine for one batch of work: lock → store thread → epoch → passes on worker threads → end. `run --once` and `sync`
 * use it; whatever ends it early (a kill, a lost lock) leaves a store that the next one goes on from.
 */
import { createLocalClock, systemClock, toInstant } from '../base/clock.ts';
import { EngineError, toErrorRecord } from '../base/errors.ts';
import { createLog, type Log } from '../base/log.ts';
import { removeExpiredLogs } from '../base/log-read.ts';
import type { Config } from '../config/schema.ts';
import { storeFile } from '../config/store-location.ts';
import { createStoreClient } from '../store/sqlite/store-client.ts';
import { type StoreThread, startStoreThread } from '../store/sqlite/store-thread.ts';
import type { Store } from '../store/store.ts';
import type { PassReport, PassTask, Progress, Scope } from '../sync/pass.ts';
import { createBudget } from './budget.ts';
import { acquireLock, type Lock, lockFileOf } from './lock.ts';
import { writePidFile } from './pid-file.ts';
import { rememberPlaces } from './quick-look.ts';
import { createThreads, type Threads } from './threads.ts';

export interface EngineOptions {
  readonly config: Config;
  /** Null: everything is a default. */
  readonly configFile: string | null;
  readonly onProgress: (progress: Progress) => void;
  /** Of every pass, as it ends. */
  readonly onReport: (report: PassReport) => void;
  /** Told once when the log cannot be written. */
  readonly onProblem: (text: string) => void;
  readonly signal: AbortSignal;
  /** Tests: SIGKILL at this durable step of the store thread. */
  readonly crashAt?: number | undefined;
}

export interface AccountScope {
  readonly acntid: number;
  readonly scope: Scope;
}

export interface Engine {
  readonly store: Store;
  readonly log: Log;
  readonly threads: Threads;
  /** All reports, in the order in which the passes ended. */
  runPasses(work: readonly AccountScope[]): Promise<PassReport[]>;
  /** Durable steps of the store so far are told for the crash tests. May be called twice. */
  close(): Promise<{ steps: number }>;
}

/** How often the lock is looked at while it is held. */
const beatMs = 5000;

/** Null: another engine is at work on this store. */
export async function openEngine(options: EngineOptions): Promise<Engine | null> {
  const { config } = options;
  const file = storeFile(config);
  const lock = await acquireLock(lockFileOf(file));
  if (!lock) return null;
  try {
    return await openLocked(options, lock, file);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openLocked(options: EngineOptions, lock: Lock, file: string): Promise<Engine> {
  const { config } = options;
  const log = createLog({ ...logOptions(config), thread: 't0', onProblem: options.onProblem });
  removeOldLogs(config);
  if (options.configFile !== null)
    rememberPlaces(options.configFile, { lockFile: lockFileOf(file), pidFolder: config.BACKPROC_PID_LOCATION });
  const pidFile = writePidFile(config.BACKPROC_PID_LOCATION, config.BACKPROC_NODE_ID, toInstant(systemClock()));
  const keyFile = config.BACKPROC_SECRET_KEY_FILE;
  const storeThread = await startStoreThread({ file, keyFile, crashAt: options.crashAt ?? 0 });
  const store = await createStoreClient({ port: storeThread.connect(), file, keyFile });
  await store.raiseEpoch();
  const threads = createThreads({ ...threadsOptions(config, storeThread, log), onProgress: options.onProgress });
  const stopOnAbort = (): void => void threads.stop();
  options.signal.addEventListener('abort', stopOnAbort, { once: true });
  const beat = setInterval(() => checkLock(lock, log), beatMs);
  let closing: Promise<{ steps: number }> | null = null;

  const close = async (): Promise<{ steps: number }> => {
    clearInterval(beat);
    options.signal.removeEventListener('abort', stopOnAbort);
    await threads.stop();
    await store.close();
    const result = await storeThread.stop();
    pidFile.remove();
    lock.release();
    log.close();
    return result;
  };
  return {
    store,
    log,
    threads,
    runPasses: (work) => runPasses(options, store, threads, log, work),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function removeOldLogs(config: Config): void {
  const { date } = createLocalClock(config.BACKPROC_TIME_ZONE)(systemClock());
  removeExpiredLogs(config.BACKPROC_LOG_LOCATION, date, config.BG_LOG_RETENTION_DAYS);
}

/** Someone deleted the lock file: another engine may start now. Writing on is harmless (the epoch fences it) but in vain. */
function checkLock(lock: Lock, log: Log): void {
  if (lock.isHeld()) return;
  log.error('the lock file was removed while it was held: ending');
  process.exitCode = 75;
  process.kill(process.pid, 'SIGTERM');
}

export function logOptions(config: Config): {
  folder: string;
  level: Config['BG_LOG_LEVEL'];
  format: Config['BG_LOG_FORMAT'];
  timeZone: string;
} {
  return {
    folder: config.BACKPROC_LOG_LOCATION,
    level: config.BG_LOG_LEVEL,
    format: config.BG_LOG_FORMAT,
    timeZone: config.BACKPROC_TIME_ZONE,
  };
}

/** How often a thread tells how far an account is. */
const progressMs = 200;

function threadsOptions(
  config: Config,
  storeThread: StoreThread,
  log: Log,
): Omit<Parameters<typeof createThreads>[0], 'onProgress'> {
  const limits = {
    messageBytesMax: config.EMAIL_MAX_MESSAGE_BYTES,
    authRetrySeconds: config.EMAIL_AUTH_ERROR_CHECK_RETRY_TIME,
    commandTimeoutMs: config.EMAIL_NETWORK_TIMEOUT * 1000,
    // 1 MiB in 60 s = 17 KiB/s: slower than any link that people still use, faster than a drip that would never end.
    transferTimeoutMsPerMib: config.EMAIL_NETWORK_TIMEOUT * 1000,
  };
  return {
    storeThread,
    start: {
      storeFile: storeFile(config),
      keyFile: config.BACKPROC_SECRET_KEY_FILE,
      limits,
      log: logOptions(config),
      progressMs,
    },
    threadCountMax: config.BG_MAX_THREADS,
    tasksPerThreadMax: Math.min(config.BG_THREAD_CONCURRENCY, config.BG_MAX_TASKS_PER_THREAD),
    log,
  };
}

async function runPasses(
  options: EngineOptions,
  store: Store,
  threads: Threads,
  log: Log,
  work: readonly AccountScope[],
): Promise<PassReport[]> {
  const { config } = options;
  const hosts = new Map((await store.accounts()).map((account) => [account.acntid, account.imap.host]));
  const budget = createBudget(
    { perHost: config.BG_MAX_CONNECTIONS_PER_HOST, perAccount: config.BG_MAX_CONNECTIONS_PER_ACCOUNT },
    countHosts(work, hosts),
  );
  const reports: PassReport[] = [];
  const runOne = async ({ acntid, scope }: AccountScope): Promise<void> => {
    const grant = await budget.take(hosts.get(acntid) ?? '');
    const task: PassTask = { acntid, scope, connections: grant.connections };
    const report = options.signal.aborted ? abortedReport(acntid) : await threads.run(task);
    grant.release();
    reports.push(report);
    options.onReport(report);
  };
  await Promise.all(work.map(runOne));
  log.debug(`${work.length} passes ended`);
  return reports;
}

const abortedReport = (acntid: number): PassReport => ({
  acntid,
  folders: [],
  unchangedCount: 0,
  error: toErrorRecord(new EngineError('aborted', '')),
});

function countHosts(work: readonly AccountScope[], hosts: ReadonlyMap<number, string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { acntid } of work) {
    const host = hosts.get(acntid) ?? '';
    counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return counts;
}
