/** backproc.pid, for people and monitoring; exists only while the engine runs, and decides nothing (see lock.ts). */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PidRecord {
  readonly pid: number;
  /** Start of the process in clock ticks since boot (/proc/PID/stat field 22); null where there is no /proc. */
  readonly startTicks: string | null;
  readonly bootId: string | null;
  readonly node: string;
  readonly startedAt: string;
}

export interface PidFile {
  remove(): void;
}

export function writePidFile(folder: string, node: string, startedAt: string): PidFile {
  mkdirSync(folder, { recursive: true, mode: 0o770 });
  const file = join(folder, 'backproc.pid');
  const record: PidRecord = {
    pid: process.pid,
    startTicks: startTicksOf(process.pid),
    bootId: bootId(),
    node,
    startedAt,
  };
  writeFileSync(file, `${JSON.stringify(record)}\n`, { mode: 0o660 });
  return {
    remove() {
      if (readPidFile(folder)?.pid === process.pid) rmSync(file, { force: true });
    },
  };
}

/** Undefined: none there, or nobody alive is meant by it (a pid is used again; its start time is not). */
export function readPidFile(folder: string): PidRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folder, 'backproc.pid'), 'utf8')) as PidRecord;
    return record.bootId === bootId() && record.startTicks === startTicksOf(record.pid) ? record : undefined;
  } catch {
    return undefined; // no file, or one cut short by a crash: the same as none
  }
}

function startTicksOf(pid: number): string | null {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

const bootId = (): string | null => readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? null;

function readIfThere(file: string): string | null {
  return statSync(file, { throwIfNoEntry: false }) ? readFileSync(file, 'utf8') : null;
}
