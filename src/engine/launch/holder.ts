/**
 * Who holds the lock, for those who launch beside it. `mail.db.engine` lies beside the store, because two configurations on one
 * store are one engine; its time is the beat. `pid/backproc.pid` says the same to people and monitoring. Neither decides
 * anything: the lock does. Both exist only while the process runs, and are written again when somebody removes or changes them.
 */
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeOwnFolder } from '../../base/own-folder.ts';

export interface HolderRecord {
  readonly pid: number;
  /** Start of the process in clock ticks since boot (/proc/PID/stat field 22); null where there is no /proc. */
  readonly startTicks: string | null;
  readonly bootId: string | null;
  readonly node: string;
  readonly version: string;
  readonly startedAt: string;
  /** Address of the control socket; null: it takes no orders (a single command). */
  readonly control: string | null;
  /** The lock file it holds (`identityOf`); older versions do not say. */
  readonly lock?: string;
}

export interface HolderFiles {
  /** Once every few seconds, from the main thread: it proves that the main thread turns. */
  beat(): void;
  remove(): void;
}

export const beatMs = 5000;
export const lockFileOf = (storeFile: string): string => `${storeFile}.lock`;
export const holderFileOf = (storeFile: string): string => `${storeFile}.engine`;
const pidFileOf = (pidFolder: string): string => join(pidFolder, 'backproc.pid');

export function describeSelf(
  about: Pick<HolderRecord, 'node' | 'version' | 'startedAt' | 'control' | 'lock'>,
): HolderRecord {
  return { pid: process.pid, startTicks: startTicksOf(process.pid), bootId: bootId(), ...about };
}

export function writeHolder(storeFile: string, pidFolder: string, record: HolderRecord): HolderFiles {
  const files = [holderFileOf(storeFile), pidFileOf(pidFolder)];
  const text = `${JSON.stringify(record)}\n`;
  for (const file of files) writeWhole(file, text);
  return {
    beat() {
      const now = new Date();
      for (const file of files) if (readIfThere(file) !== text || !touch(file, now)) writeWhole(file, text);
    },
    remove() {
      for (const file of files) if (readRecord(file)?.pid === process.pid) removeIfPossible(file);
    },
  };
}

/** Under its name only when it is complete. A folder that can't be written is told by the log, not here. */
function writeWhole(file: string, text: string): void {
  const beside = `${file}.${process.pid}`;
  try {
    makeOwnFolder(dirname(file));
    writeFileSync(beside, text, { mode: 0o660 });
    renameSync(beside, file);
  } catch {
    removeIfPossible(beside); // launches then see a lock without a holder, and wait
  }
}

/** In a folder that is closed to us nothing can be removed, and was nothing written. */
function removeIfPossible(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // A record that stays names a process that is gone: it counts as none.
  }
}

function touch(file: string, now: Date): boolean {
  try {
    utimesSync(file, now, now);
    return true;
  } catch {
    return false; // removed: it is written again
  }
}

export interface Holder {
  readonly record: HolderRecord;
  /** ms since the epoch, by the clock of the file system. Compare with what was seen before, not with now. */
  readonly beatAtMs: number;
}

/** Undefined: nobody alive is meant (a pid is used again; its start time is not). */
export function readHolder(storeFile: string): Holder | undefined {
  const holder = leftBehind(storeFile);
  return holder && isAlive(holder.record) && isOfThisStore(storeFile, holder.record) ? holder : undefined;
}

/** The record may have been copied with its folder, from beside an engine that goes on: that one holds another file. */
function isOfThisStore(storeFile: string, { lock }: HolderRecord): boolean {
  const here = identityOf(lockFileOf(storeFile));
  return lock === undefined || here === '' || lock === here;
}

/** Device and inode; empty when there is no such file. stat opens nothing, so it does not drop the lock. */
export function identityOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats ? `${stats.dev}:${stats.ino}` : '';
}

/** For whoever has the lock now: undefined when the one before took its record with it, as everyone does who ends by himself. */
export function leftBehind(storeFile: string): Holder | undefined {
  const record = readRecord(holderFileOf(storeFile));
  const beatAtMs = statSync(holderFileOf(storeFile), { throwIfNoEntry: false })?.mtimeMs;
  return record && beatAtMs !== undefined ? { record, beatAtMs } : undefined;
}

/** Six beats. Clocks differ and jump: that a beat is older proves nothing yet, but it must be watched (launch.ts). */
export const freshMs = 30_000;

export const isFresh = (holder: Holder, ms = freshMs): boolean => Math.abs(Date.now() - holder.beatAtMs) < ms;

function readRecord(file: string): HolderRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined; // no file, or none of ours: the same as none
  }
}

const isRecord = (value: unknown): value is HolderRecord =>
  typeof value === 'object' && value !== null && 'pid' in value && typeof value.pid === 'number';

export const isAlive = (record: HolderRecord): boolean =>
  record.bootId === bootId() &&
  (record.startTicks === null ? answers(record.pid) : record.startTicks === startTicksOf(record.pid));

/** Where there is no /proc. */
function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** proc(5). Z and X: it has ended, and whoever started it has not asked how (PID 1 of many containers never does). */
function startTicksOf(pid: number): string | null {
  const stat = readIfThere(`/proc/${pid}/stat`);
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return state === 'Z' || state === 'X' ? null : (fields[18] ?? null);
}

const bootId = (): string | null => readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? null;

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null; // no such process, or a system without /proc
  }
}
