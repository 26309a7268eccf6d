/**
 * What every engine is made of, whether it runs for months or for one command: the lock, the log, the store thread and its
 * epoch, the worker threads, the watchdog. Whatever ends it early (a kill, a lost lock) leaves a store that the next one goes on
 * from. Opened in order, closed in the opposite one.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { systemClock, toInstant } from '../base/clock.ts';
import { createLog, type Log } from '../base/log.ts';
import type { Config } from '../config/schema.ts';
import { storeFile } from '../config/store-location.ts';
import { createStoreClient } from '../store/sqlite/store-client.ts';
import { beginStoreThread, type StoreThread } from '../store/sqlite/store-thread.ts';
import type { Store } from '../store/store.ts';
import type { Progress } from '../sync/pass.ts';
import {
  beatMs,
  describeSelf,
  type HolderRecord,
  identityOf,
  isAlive,
  leftBehind,
  lockFileOf,
  writeHolder,
} from './launch/holder.ts';
import type { Lock } from './launch/lock.ts';
import { remember } from './launch/quick-look.ts';
import { outboxSettings } from './outbox-settings.ts';
import type { ThreadLimits } from './threads/choose-thread.ts';
import type { LogStart } from './threads/protocol.ts';
import { createThreads, type Threads, type ThreadsOptions } from './threads/threads.ts';
import { startWatchdog, type WatchdogLimits } from './threads/watchdog.ts';

export interface EngineOptions {
  readonly config: Config;
  /** Null: everything is a default. */
  readonly configFile: string | null;
  readonly version: string;
  readonly lock: Lock;
  /** What the launch did to get the lock: the log must tell why there is another engine. */
  readonly launchNotes: readonly string[];
  /** stderr is systemd's journal (base/journal.ts). */
  readonly isJournal: boolean;
  /** Address of the control socket; null: it takes no orders. */
  readonly control: string | null;
  readonly onProgress: (progress: Progress) => void;
  readonly onStir: (acntid: number) => void;
  readonly onLost: (acntid: number) => void;
  /** It can't go on: the lock was taken away, the store thread died, a thread is stuck. Called once; then `close`. */
  readonly onBroken: (why: string) => void;
  /** Told once when the log cannot be written. */
  readonly onProblem: (text: string) => void;
  /** Tests: SIGKILL at this durable step of the store thread. */
  readonly crashAt?: number | undefined;
}

export interface Engine {
  /** As it holds now. */
  readonly config: Config;
  readonly holder: HolderRecord;
  readonly store: Store;
  readonly log: Log;
  readonly threads: Threads;
  /** False: somebody removed the lock file, and the job database may be another engine’s by now. */
  holdsLock(): boolean;
  /** Another configuration holds from now on; tasks under way end with the old one. */
  reconfigure(config: Config): void;
  /** Tasks end, at most after `graceMs`. Durable steps of the store so far are told for the crash tests. May be called twice. */
  close(graceMs: number): Promise<{ steps: number }>;
}

const isItMounted = 'If it lies on a volume that is not mounted: stop the engine, mount it, and start again.';

/** Releases the lock also when it throws. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  try {
    return await open(options);
  } catch (error) {
    options.lock.release();
    throw error;
  }
}

async function open(options: EngineOptions): Promise<Engine> {
  const { config, lock } = options;
  const file = storeFile(config);
  const keyFile = config.BACKPROC_SECRET_KEY_FILE;
  // Every thread loses lines of its own, of one cause: `run --once` and `sync` may log in worker threads alone.
  const onProblem = unrepeated(options.onProblem);
  const log = createLog({ ...logStart(options, config), thread: 't0', onProblem });
  for (const note of options.launchNotes) log.warn(note);
  const place = { storeFile: file, version: options.version };
  const lastPlace = options.configFile === null ? null : remember(options.configFile, place);
  if (lastPlace === file && !existsSync(file)) log.warn(`${file} is gone: a new, empty store is made. ${isItMounted}`);
  tellOfPredecessor(file, log);
  const record = describeEngine(options, file);
  const holder = writeHolder(file, config.BACKPROC_PID_LOCATION, record);
  const brokenOnce = once(options.onBroken);
  // Also while a long migration runs in the store thread: that is work, not a hang.
  const onLost = once((why) => {
    log.error(`${why} while it was held: ending`);
    brokenOnce(why);
  });
  let held: string | null = null;
  // Someone deleted the lock file: another engine may start now. Writing on is harmless (the epoch fences it) but in vain. So it
  // is in a database that another file has taken the place of: applications read and write that one.
  const beat = setInterval(() => {
    if (!lock.isHeld()) onLost('the lock file was removed');
    else if (held !== null && identityOf(file) !== held) onLost(`${file} was removed or replaced`);
    else holder.beat();
  }, beatMs);
  const undo = (): void => {
    clearInterval(beat);
    holder.remove();
    lock.release();
    log.close();
  };
  try {
    const storeThread = beginStoreThread({ file, keyFile, crashAt: options.crashAt ?? 0 });
    const threads = createThreads(threadsOptions({ ...options, onProblem }, storeThread, log));
    // There is always something to sync: it loads its code while the store is opened.
    threads.warm('sync');
    await storeThread.ready.catch(async (error: unknown) => {
      await threads.stop(0);
      throw error;
    });
    held = identityOf(file);
    storeThread.onExit((wasAsked) => wasAsked || brokenOnce('the store thread ended'));
    const store = await createStoreClient({ port: storeThread.connect(), file, keyFile });
    await store.raiseEpoch();
    const onStuck = (thread: string): void => brokenOnce(`${thread} is stuck and can't be ended`);
    const watchdog = startWatchdog({ threads, limits: watchdogLimits, log, onStuck });
    const close = async (graceMs: number): Promise<{ steps: number }> => {
      await threads.stop(graceMs);
      watchdog.stop();
      await store.close();
      const result = await storeThread.stop();
      undo();
      return result;
    };
    let closing: ReturnType<typeof close> | null = null;
    let current = config;
    return {
      get config() {
        return current;
      },
      holder: record,
      store,
      log,
      threads,
      holdsLock: () => lock.isHeld(),
      reconfigure(given) {
        current = given;
        log.setLevel(given.BG_LOG_LEVEL);
        threads.reconfigure(threadStart(options, given), threadLimits(given));
      },
      close(graceMs) {
        closing ??= close(graceMs);
        return closing;
      },
    };
  } catch (error) {
    undo();
    throw error;
  }
}

/** Who asks in the morning why nothing happened in the night finds it in the log. */
function tellOfPredecessor(file: string, log: Log): void {
  const left = leftBehind(file);
  if (!left) return;
  const { pid, startedAt } = left.record;
  const [what, unless] = isAlive(left.record)
    ? ['has lost its lock and will end', ', unless it works where this folder was copied from']
    : ['was killed, or the machine stopped', ''];
  log.warn(`process ${pid}, begun ${startedAt}, ${what}; last beat ${toInstant(new Date(left.beatAtMs))}${unless}`);
}

function once(work: (text: string) => void): (text: string) => void {
  let isDone = false;
  return (text) => {
    if (!isDone) work(text);
    isDone = true;
  };
}

function unrepeated(tell: (text: string) => void): (text: string) => void {
  let last = '';
  return (text) => {
    if (text !== last) tell(text);
    last = text;
  };
}

const describeEngine = ({ config, version, control }: EngineOptions, file: string) =>
  describeSelf({
    node: config.BACKPROC_NODE_ID,
    version,
    startedAt: toInstant(systemClock()),
    control,
    lock: identityOf(lockFileOf(file)),
  });

const logStart = ({ isJournal }: EngineOptions, config: Config): LogStart => ({
  folder: config.BACKPROC_LOG_LOCATION,
  level: config.BG_LOG_LEVEL,
  format: config.BG_LOG_FORMAT,
  timeZone: config.BACKPROC_TIME_ZONE,
  journal: isJournal && config.BG_LOG_JOURNAL,
});

/** How often a thread tells how far an account is. */
const progressMs = 200;

/** A first sync ends its slice by itself, a scan of a million messages takes minutes: an hour is no work any more. */
const watchdogLimits: WatchdogLimits = {
  // A reading task ends its slice by itself after seconds; one mail takes two at most.
  // A sending task begins nothing after ten minutes, and one mail may take twenty more (RFC 5321 4.5.3.2).
  runMsMax: { pass: 60 * 60_000, send: 60 * 60_000, file: 30 * 60_000, read: 5 * 60_000 },
  cancelMsMax: 30_000,
  stallMs: 5000,
  standstillMs: 60_000,
};

function threadsOptions(options: EngineOptions, storeThread: StoreThread, log: Log): ThreadsOptions {
  const { config, onProgress, onStir, onLost, onProblem: onLogTrouble } = options;
  return {
    storeThread,
    start: threadStart(options, config),
    limits: threadLimits(config),
    log,
    onProgress,
    onStir,
    onLost,
    onLogTrouble,
  };
}

const threadStart = (options: EngineOptions, config: Config): ThreadsOptions['start'] => ({
  storeFile: storeFile(config),
  keyFile: config.BACKPROC_SECRET_KEY_FILE,
  passwordCommand: config.EMAIL_PASSWORD_COMMAND,
  limits: {
    messageBytesMax: config.EMAIL_MAX_MESSAGE_BYTES,
    authRetrySeconds: config.EMAIL_AUTH_ERROR_CHECK_RETRY_TIME,
    commandTimeoutMs: config.EMAIL_NETWORK_TIMEOUT * 1000,
    // 1 MiB in 60 s = 17 KiB/s: slower than any link that people still use, faster than a drip that would never end.
    transferTimeoutMsPerMib: config.EMAIL_NETWORK_TIMEOUT * 1000,
    perDay: dayLimit(config),
  },
  memoryBytesMax: config.BACKPROC_MEMORY_LIMIT_MB * 1024 * 1024,
  outbox: outboxSettings(config),
  log: logStart(options, config),
  progressMs,
});

const dayLimit = ({ BG_MAX_BYTES_PER_DAY_PER_ACCOUNT: bytesMax, BACKPROC_TIME_ZONE: timeZone }: Config) =>
  bytesMax === null ? null : { bytesMax, timeZone };

const threadLimits = (config: Config): ThreadLimits => ({
  threadCountMax: config.BG_MAX_THREADS,
  tasksPerThread: Math.min(config.BG_THREAD_CONCURRENCY, config.BG_MAX_TASKS_PER_THREAD),
  tasksPerThreadMax: Math.min(Math.floor(config.BG_THREAD_CONCURRENCY * 1.5), config.BG_MAX_TASKS_PER_THREAD),
  coreCount: availableParallelism(),
});
