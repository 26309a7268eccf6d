/**
 * What an engine that runs for months does beside its work: at its start and once a local day old logs and expired rows go and
 * the size of the store is noted; at every tick the WAL is looked at. Trouble is logged and never thrown: the next day, or the
 * next tick, tries again. The engine calls `tick` every few seconds; a tick under way makes the next one nothing.
 */
import { statSync } from 'node:fs';
import { type Clock, createLocalClock, toInstant } from '../base/clock.ts';
import { asEngineError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { removeExpiredLogs } from '../base/log-retention.ts';
import { processName } from '../base/proc-locks.ts';
import type { Config } from '../config/schema.ts';
import { walFileOf } from '../store/sqlite/wal.ts';
import { readersOf } from '../store/sqlite/wal-readers.ts';
import type { StoreWrites } from '../store/store.ts';
import { clearAllRemoved } from './clear-removed.ts';
import { createClockGuard } from './clock-guard.ts';
import { describeExpiry, expireAll } from './expire-all.ts';
import { expiryLimits, type RetentionDays } from './expiry-limits.ts';
import { calmWal, isLargeWal, judgeWal } from './wal-watch.ts';

export interface UpkeepPorts {
  readonly store: Pick<StoreWrites, 'clearRemoved' | 'expire' | 'recordSize' | 'shrinkWal'>;
  readonly storeFile: string;
  readonly config: RetentionDays &
    Pick<Config, 'BACKPROC_LOG_LOCATION' | 'BACKPROC_TIME_ZONE' | 'BG_LOG_RETENTION_DAYS'>;
  readonly log: Log;
  readonly clock: Clock;
  /** Tests give another; performance.now. */
  readonly monotonicMs: () => number;
  readonly signal: AbortSignal;
}

export interface Upkeep {
  /** Never rejects. */
  tick(): Promise<void>;
}

export function createUpkeep(ports: UpkeepPorts): Upkeep {
  const guard = createClockGuard(ports.clock, ports.monotonicMs);
  const local = createLocalClock(ports.config.BACKPROC_TIME_ZONE);
  const watchWal = createWalWatch(ports);
  let doneOn = '';
  let isBusy = false;
  const tick = async (): Promise<void> => {
    await watchWal();
    const { date } = local(ports.clock());
    if (!guard.isTrusted() || date === doneOn) return;
    doneOn = date;
    await careOfDay(ports, date);
  };
  return {
    async tick() {
      if (isBusy || ports.signal.aborted) return;
      isBusy = true;
      try {
        await tick();
      } catch (error) {
        const failure = asEngineError(error);
        if (failure.code !== 'aborted') ports.log.warn(`upkeep: ${failure.message}`);
      } finally {
        isBusy = false;
      }
    },
  };
}

async function careOfDay({ store, config, log, clock, signal }: UpkeepPorts, date: string): Promise<void> {
  const removed = removeExpiredLogs(config.BACKPROC_LOG_LOCATION, date, config.BG_LOG_RETENTION_DAYS);
  if (removed.length > 0) log.info(`removed ${removed.length} old log files`);
  await store.recordSize(toInstant(clock()));
  const told = describeExpiry(await expireAll(store, expiryLimits(config, clock()), signal));
  if (told !== '') log.info(told);
  const cleared = await clearAllRemoved(store, signal);
  if (cleared > 0) log.info(`removed accounts: the last ${cleared} messages are gone`);
}

/** Costs a stat while the WAL is small. */
function createWalWatch({ store, storeFile, log, monotonicMs }: UpkeepPorts): () => Promise<void> {
  let state = calmWal;
  return async () => {
    const bytes = statSync(walFileOf(storeFile), { throwIfNoEntry: false })?.size ?? 0;
    const left = isLargeWal(bytes) ? (await store.shrinkWal()).bytes : bytes;
    const verdict = judgeWal(state, left, monotonicMs());
    state = verdict.state;
    if (verdict.say?.kind === 'held') log.warn(heldText(storeFile, left, verdict.say.seconds));
    if (verdict.say?.kind === 'freed') log.info(`the WAL could be emptied again, after ${verdict.say.seconds} s`);
  };
}

/** Our own reads are short; one of ours that is not is a defect, and is told like any other. */
function heldText(storeFile: string, bytes: number, seconds: number): string {
  const readers = readersOf(storeFile).map((pid) => `${pid} (${pid === process.pid ? 'backproc' : processName(pid)})`);
  const who = readers.length === 0 ? 'some program' : `process ${readers.join(', ')}`;
  return `the WAL has ${Math.round(bytes / 1024 / 1024)} MiB and could not be emptied for ${seconds} s: ${who} keeps a read open`;
}
