/**
 * Which processes read the database at this moment with a snapshot of their own. SQLite marks a reader by a shared lock on one of
 * the five read marks in mail.db-shm (walformat: bytes 123 to 127); the kernel knows who holds it.
 */
import { type FileLock, readLocksOn } from '../../base/proc-locks.ts';

const readMarks = { first: 123, last: 127 };

/** Numbers of processes, each once, our own among them. Empty on systems without /proc/locks. */
export function readersOf(file: string): number[] {
  return [
    ...new Set(
      readLocksOn(`${file}-shm`)
        .filter(isReadMark)
        .map(({ pid }) => pid),
    ),
  ].sort((a, b) => a - b);
}

const isReadMark = ({ isWrite, start, end }: FileLock): boolean =>
  !isWrite && start <= readMarks.last && (end ?? Number.MAX_SAFE_INTEGER) >= readMarks.first;
