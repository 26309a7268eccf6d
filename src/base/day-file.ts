/**
 * One file a day, `YYYYMMDD-suffix.log`, by local date. Appends synchronously and never throws: lines that can't be written are
 * counted, and the count is told with the first line that can. A file that an administrator or logrotate took away while it was
 * open is opened again with the next line; a new day opens the next one.
 */
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, createLocalClock, systemClock } from './clock.ts';
import { makeOwnFolder } from './own-folder.ts';

export interface DayFileOptions {
  readonly folder: string;
  readonly suffix: string;
  readonly timeZone: string;
  readonly clock?: Clock;
  /** Told once, with the first line that is lost. */
  readonly onProblem?: (text: string) => void;
  /** Told after the first line that could be written again. */
  readonly onRecovery?: (lostCount: number) => void;
}

export interface DayFile {
  append(line: string): void;
  close(): void;
}

/** Group-writable for the application's group, never world-readable. */
const fileMode = 0o660;

export const dayFileName = (date: string, suffix: string): string => `${date.replaceAll('-', '')}-${suffix}.log`;

export function openDayFile(options: DayFileOptions): DayFile {
  const appender = createAppender(options);
  let lostCount = 0;
  const lose = (error: unknown): void => {
    lostCount += 1;
    if (lostCount === 1) options.onProblem?.(`the log cannot be written: ${reasonOf(error)}`);
  };
  return {
    append(line) {
      try {
        appender.append(line);
      } catch (error) {
        return lose(error);
      }
      if (lostCount === 0) return;
      const count = lostCount;
      lostCount = 0;
      options.onRecovery?.(count);
    },
    close: () => appender.close(),
  };
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface OpenFile {
  readonly fd: number;
  readonly date: string;
  readonly path: string;
  readonly identity: string;
}

/** Throws what the file system says. */
function createAppender({ folder, suffix, timeZone, clock = systemClock }: DayFileOptions): DayFile {
  const local = createLocalClock(timeZone);
  let open: OpenFile | null = null;
  let isTorn = false;
  const close = (): void => {
    const fd = open?.fd;
    open = null;
    if (fd !== undefined) closeSync(fd);
  };
  const current = (): OpenFile => {
    const { date } = local(clock());
    if (open?.date === date && identityOf(open.path) === open.identity) return open;
    close();
    open = openFile(folder, suffix, date);
    return open;
  };
  return {
    append(line) {
      const { fd, path } = current();
      // The rest of a line that a full disk cut short must not become the head of the next.
      const text = isTorn ? `\n${line}` : line;
      const written = writeSync(fd, text);
      const isShort = written < Buffer.byteLength(text);
      if (!isShort || written > 0) isTorn = isShort;
      if (isShort) throw new Error(`no space left on device, write '${path}'`);
    },
    close,
  };
}

function openFile(folder: string, suffix: string, date: string): OpenFile {
  makeOwnFolder(folder);
  const path = join(folder, dayFileName(date, suffix));
  return { fd: openSync(path, 'a', fileMode), date, path, identity: identityOf(path) };
}

/** Asked before every line: 2 µs. Empty when there is no such file. */
function identityOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats ? `${stats.dev}:${stats.ino}` : '';
}
