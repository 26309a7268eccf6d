/**
 * The journal of systemd, beside the log files and only where the configuration asks for it: each line to stderr with its
 * priority in front (sd-daemon(3)); the journal has time and process itself. A journal that can't be written is not our trouble.
 */
import { fstatSync, writeSync } from 'node:fs';

const priorities = { debug: 7, info: 6, warn: 4, error: 3 } as const;
const stderrFd = 2;

export function toJournal(level: keyof typeof priorities, text: string): void {
  try {
    writeSync(stderrFd, `<${priorities[level]}>${text}\n`);
  } catch {
    // The line is in the file.
  }
}

/** `JOURNAL_STREAM` names the device and inode of the journal's own socket (systemd.exec(5)): is stderr that? */
export function isJournal(journalStream: string | undefined): boolean {
  if (journalStream === undefined) return false;
  const { dev, ino } = fstatSync(stderrFd, { bigint: true });
  return journalStream === `${dev}:${ino}`;
}
