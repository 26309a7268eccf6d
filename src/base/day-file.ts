/** One file a day, `YYYYMMDD-suffix.log`, by local date. Appends synchronously; never throws. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, createLocalClock, systemClock } from './clock.ts';

export interface DayFileOptions {
  readonly folder: string;
  readonly suffix: string;
  readonly timeZone: string;
  readonly clock?: Clock;
  readonly onProblem?: (text: string) => void;
}

export interface DayFile {
  append(text: string): void;
  close(): void;
}

/** Group-writable for the application's group, never world-readable. */
const fileMode = 0o660;

export const dayFileName = (date: string, suffix: string): string => `${date.replaceAll('-', '')}-${suffix}.log`;

export function openDayFile(options: DayFileOptions): DayFile {
  const clock = options.clock ?? systemClock;
  const local = createLocalClock(options.timeZone);
  let open: { fd: number; date: string } | null = null;
  let isReported = false;

  const close = (): void => {
    if (open) closeSync(open.fd);
    open = null;
  };
  const today = (): number => {
    const { date } = local(clock());
    if (open?.date !== date) {
      close();
      mkdirSync(options.folder, { recursive: true, mode: 0o770 });
      open = { fd: openSync(join(options.folder, dayFileName(date, options.suffix)), 'a', fileMode), date };
    }
    return open?.fd ?? -1;
  };
  return {
    append(text) {
      try {
        writeSync(today(), text);
        isReported = false;
      } catch (error) {
        if (!isReported)
          options.onProblem?.(`the log cannot be written: ${error instanceof Error ? error.message : String(error)}`);
        isReported = true;
      }
    },
    close,
  };
}
