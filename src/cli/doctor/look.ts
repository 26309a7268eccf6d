/** Looks at lock, job state, WAL, key, launch entries and log. Thin: facts as plain data, judged elsewhere. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createLocalClock, systemClock } from '../../base/clock.ts';
import { dayFileName } from '../../base/day-file.ts';
import { asEngineError } from '../../base/errors.ts';
import { processName, readLocksOn } from '../../base/proc-locks.ts';
import type { Config } from '../../config/schema.ts';
import { storeFile } from '../../config/store-location.ts';
import { controlAddress } from '../../engine/control/control.ts';
import { type HolderRecord, holderFileOf, lockFileOf } from '../../engine/launch/holder.ts';
import { acquireLock } from '../../engine/launch/lock.ts';
import { lookAtHolder } from '../../engine/launch/look-at-holder.ts';
import { readKey } from '../../store/key-file.ts';
import { readersOf } from '../../store/sqlite/wal-readers.ts';
import type { JobFacts, KeyFacts, WalFacts } from './data.ts';
import type { LockFacts } from './engine-lock.ts';
import { roomOf } from './file-system.ts';
import type { LogFacts } from './log.ts';
import { jobFileIn } from './places.ts';

export interface LockLook extends LockFacts {
  readonly record: HolderRecord | null;
}

export async function lookAtLock(config: Config, version: string): Promise<LockLook> {
  const store = storeFile(config);
  const lockFile = lockFileOf(store);
  const isHeld = await isLockHeld(lockFile);
  const holder = lookAtHolder(store);
  return {
    isHeld,
    record: holder?.record ?? null,
    holder: holder?.record ?? null,
    beatAgeMs: holder ? Date.now() - holder.beatAtMs : null,
    isStopped: holder !== undefined && stateOf(holder.record.pid) === 'T',
    lockPids: [...new Set(readLocksOn(lockFile).map(({ pid }) => pid))],
    leftovers: isHeld ? [] : engineFiles(config).filter((file) => existsSync(file)),
    version,
  };
}

/** What an engine leaves when it is killed. */
export const engineFiles = (config: Config): string[] => {
  const store = storeFile(config);
  const control = controlAddress(config.BACKPROC_PID_LOCATION, store);
  const files = [holderFileOf(store), join(config.BACKPROC_PID_LOCATION, 'backproc.pid')];
  return process.platform === 'win32' ? files : [...files, control];
};

/** The kernel tells, or it is taken and given back at once; a launch in that moment waits for longer than this takes. */
async function isLockHeld(lockFile: string): Promise<boolean> {
  if (!existsSync(lockFile)) return false;
  if (readLocksOn(lockFile).length > 0) return true;
  try {
    const lock = await acquireLock(lockFile);
    lock?.release();
    return lock === null;
  } catch {
    return false; // not ours to open: told by the permissions
  }
}

/** `T` stopped, `S` asleep…; proc(5). */
function stateOf(pid: number): string {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}

export async function lookAtJobState(config: Config): Promise<JobFacts> {
  const file = jobFileIn(config);
  if (!existsSync(file)) return { file, state: 'absent', detail: '' };
  const { openSqlite } = await import('../../base/sqlite.ts');
  try {
    const database = openSqlite(file, { readonly: true, timeout: 0 });
    try {
      const found = String(database.pragma('quick_check(1)', { simple: true }));
      return { file, state: found === 'ok' ? 'sound' : 'damaged', detail: found };
    } finally {
      database.close();
    }
  } catch (error) {
    return { file, state: jobStateOf(error), detail: error instanceof Error ? error.message : String(error) };
  }
}

function jobStateOf(error: unknown): JobFacts['state'] {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return 'damaged';
  return /^SQLITE_(BUSY|LOCKED)/.test(code) ? 'busy' : 'unread';
}

/** A read that is still there after this is no short one. */
const readMs = 1500;

/** `own`: the engine's reads are its own affair. */
export async function lookAtWal(bytes: number, store: string, own: readonly number[]): Promise<WalFacts> {
  const others = (): number[] => readersOf(store).filter((pid) => !own.includes(pid));
  const before = others();
  if (before.length > 0) await wait(readMs);
  const after = new Set(others());
  const long = before.filter((pid) => after.has(pid));
  return { bytes, longReaders: long.map((pid) => ({ pid, name: processName(pid) })) };
}

export function lookAtLog(config: Config): LogFacts {
  const folder = config.BACKPROC_LOG_LOCATION;
  const { date } = createLocalClock(config.BACKPROC_TIME_ZONE)(systemClock());
  const errors = readIfThere(`${folder}/${dayFileName(date, 'threading-error')}`);
  return {
    folder,
    freeBytes: roomOf(folder)?.freeBytes ?? null,
    threadErrors: errors.split('\n').filter((line) => line !== ''),
  };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // not there, or not ours to read
  }
}

/** A key that may not be read from here is told with the permissions. */
export function lookAtKey(file: string): Pick<KeyFacts, 'file' | 'problem'> {
  try {
    readKey(file);
    return { file, problem: null };
  } catch (error) {
    const { code, detail } = asEngineError(error);
    return { file, problem: code === 'secret_unreadable' ? detail : null };
  }
}
