/** The calling thread steps back behind all others of the machine (nice 10), where the system has priorities for threads: Linux. */
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

export function stepBack(): void {
  if (process.platform !== 'linux') return;
  try {
    // `PID/task/TID`; Linux takes the number of a thread where others want that of a process (setpriority(2)).
    const tid = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(tid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // No /proc here: it runs like the others.
  }
}
