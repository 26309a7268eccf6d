/** Reads the log for people: today's lines, those of one account, and on, as they are written, over midnight. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Clock, createLocalClock } from './clock.ts';
import { dayFileName } from './day-file.ts';
import { EngineError } from './errors.ts';
import { type FileTail, openFileTail } from './file-tail.ts';

// The engine asks for it here.

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
  const today = (): string => dayFileName(local(options.clock()).date, 'info');
  let name = today();
  let tail = openFileTail(join(options.folder, name));
  try {
    yield* linesOf(tail, options.acntid);
    while (options.follow && (await pause(options.signal))) {
      // Asked before reading: when the day has changed, yesterday's file is read once more before it is left.
      const next = today();
      yield* linesOf(tail, options.acntid);
      if (next === name) continue;
      await tail.close();
      name = next;
      tail = openFileTail(join(options.folder, name));
    }
  } finally {
    await tail.close();
  }
}

/** Throws `log_unreadable`: not everybody may read it. */
async function* linesOf(tail: FileTail, acntid: number | undefined): AsyncGenerator<string> {
  try {
    for await (const line of tail.lines()) if (isOf(line, acntid)) yield line;
  } catch (error) {
    throw new EngineError('log_unreadable', `${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
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

/** The trailer `[53,824]`, or `"acntid":53` where the log is JSON. */
function isOf(line: string, acntid: number | undefined): boolean {
  if (acntid === undefined) return true;
  return line.startsWith('{')
    ? new RegExp(`"acntid":${acntid}[,}]`).test(line)
    : new RegExp(`\\[${acntid},\\d+\\]$`).test(line);
}
