/** Reads the log for people: today's lines, those of one account, and on, as they are written. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Clock, createLocalClock } from './clock.ts';
import { dayFileName } from './day-file.ts';

export interface LogReadOptions {
  readonly folder: string;
  readonly timeZone: string;
  readonly clock: Clock;
  readonly acntid?: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** How often a followed file is looked at. */
const followMs = 300;

export async function* readLog(options: LogReadOptions): AsyncGenerator<string> {
  const local = createLocalClock(options.timeZone);
  let name = '';
  let offset = 0;
  for (;;) {
    const today = dayFileName(local(options.clock()).date, 'info');
    if (today !== name) {
      name = today;
      offset = 0;
    }
    const { lines, end } = await readFrom(join(options.folder, name), offset);
    offset = end;
    for (const line of lines) if (isOf(line, options.acntid)) yield line;
    if (!options.follow || !(await pause(options.signal))) return;
  }
}

async function pause(signal: AbortSignal): Promise<boolean> {
  try {
    await wait(followMs, undefined, { signal });
    return true;
  } catch {
    return false; // aborted: the reader has seen enough
  }
}

/** Whole lines only; the rest of a line still being written comes next time. */
async function readFrom(file: string, offset: number): Promise<{ lines: string[]; end: number }> {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= offset) return { lines: [], end: offset };
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - offset), 0, size - offset, offset);
  const text = buffer.subarray(0, bytesRead);
  const end = text.lastIndexOf(10) + 1;
  return { lines: text.toString('utf8', 0, end).split('\n').slice(0, -1), end: offset + end };
}

/** The trailer `[53,824]`, or `"acntid":53` where the log is JSON. */
function isOf(line: string, acntid: number | undefined): boolean {
  if (acntid === undefined) return true;
  return line.startsWith('{')
    ? new RegExp(`"acntid":${acntid}[,}]`).test(line)
    : new RegExp(`\\[${acntid},\\d+\\]$`).test(line);
}

/** Names of log files older than `days` before `today` (`2026-11-23`). Pure. */
export function expiredLogFiles(names: readonly string[], today: string, days: number): string[] {
  const oldest = new Date(Date.parse(`${today}T00:00:00Z`) - days * 86_400_000)
    .toISOString()
    .slice(0, 10)
    .replaceAll('-', '');
  return names.filter((name) => /^\d{8}-(info|threading-error)\.log$/.test(name) && name.slice(0, 8) < oldest);
}

/** A folder that cannot be read is the log's own trouble, told by the log. */
export function removeExpiredLogs(folder: string, today: string, days: number): void {
  if (!existsSync(folder)) return;
  for (const name of expiredLogFiles(readdirSync(folder), today, days)) rmSync(join(folder, name), { force: true });
}
