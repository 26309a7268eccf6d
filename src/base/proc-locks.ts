/**
 * Who holds a lock on a file, from /proc/locks (Linux; elsewhere nobody is known). SQLite itself does not tell who reads or
 * writes a database; the kernel does.
 */
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';

export interface FileLock {
  readonly pid: number;
  readonly isWrite: boolean;
  /** Byte range, both included; `end` is null up to the end of the file. */
  readonly start: number;
  readonly end: number | null;
}

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** `1: POSIX  ADVISORY  READ 4711 fe:00:123456 123 123`; a waiting one has `->` and holds nothing (proc_locks(5)). Pure. */
const lockForm = /^\d+: (?:POSIX|OFDLCK) +\S+ +(READ|WRITE) (-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) (\d+) (\d+|EOF)$/;

export function locksOn(procLocks: string, { dev, ino }: Identity): FileLock[] {
  return procLocks.split('\n').flatMap((line) => {
    const match = lockForm.exec(line);
    if (!match) return [];
    const [, kind, pid, major, minor, inode, start, end] = match;
    if (inode !== String(ino) || deviceOf(major, minor) !== dev) return [];
    return [
      { pid: Number(pid), isWrite: kind === 'WRITE', start: Number(start), end: end === 'EOF' ? null : Number(end) },
    ];
  });
}

/** As stat writes it: makedev(3) of glibc. */
function deviceOf(majorHex = '0', minorHex = '0'): bigint {
  const [major, minor] = [BigInt(`0x${majorHex}`), BigInt(`0x${minorHex}`)];
  return ((major & 0xfffn) << 8n) | (minor & 0xffn) | ((minor & ~0xffn) << 12n) | ((major & ~0xfffn) << 32n);
}

/** Empty where it cannot be known. Opens nothing but /proc: opening and closing the file itself would drop our own locks on it. */
export function readLocksOn(file: string): FileLock[] {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  const locks = stats ? readProc('/proc/locks') : null;
  return stats && locks !== null ? locksOn(locks, stats) : [];
}

/** `node`, `php-fpm`: the name of a process, for people. By its command line: `comm` has the name of a thread (`MainThread`). */
export function processName(pid: number): string {
  const [program = ''] = (readProc(`/proc/${pid}/cmdline`) ?? '').split('\0');
  return basename(program).trim() || readProc(`/proc/${pid}/comm`)?.trim() || '?';
}

function readProc(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null; // no such process, or no /proc
  }
}
