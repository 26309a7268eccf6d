/** Old log files go: at start, and at each midnight of a process that runs for months. Never throws: the log itself tells of a bad folder. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Names of log files older than `days` before `today` (`2026-11-23`). Pure. */
export function expiredLogFiles(names: readonly string[], today: string, days: number): string[] {
  const oldest = new Date(Date.parse(`${today}T00:00:00Z`) - days * 86_400_000)
    .toISOString()
    .slice(0, 10)
    .replaceAll('-', '');
  return names.filter((name) => /^\d{8}-(info|threading-error)\.log$/.test(name) && name.slice(0, 8) < oldest);
}

/** Returns the names of those that it removed. One that cannot be removed does not keep the others. */
export function removeExpiredLogs(folder: string, today: string, days: number): string[] {
  return expiredLogFiles(namesIn(folder), today, days).filter((name) => isRemoved(join(folder, name)));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not there, or not ours to read: nothing to remove
  }
}

function isRemoved(file: string): boolean {
  try {
    rmSync(file, { force: true });
    return true;
  } catch {
    return false; // tried again tomorrow
  }
}
