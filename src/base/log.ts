/**
 * The log of one thread. pino makes the records, a destination of ours writes them: synchronously, one write a line, with
 * O_APPEND, so that several threads share a file and kill -9 loses nothing that was logged. A log that can't be written
 * never stops the work: it is reported once, and opening is tried again with the next line.
 */
import pino from 'pino';
import { type Clock, createLocalClock, systemClock } from './clock.ts';
import { type DayFile, openDayFile } from './day-file.ts';
import { formatLogLine, type LogPlace } from './log-line.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'line' | 'json';

export interface LogOptions {
  readonly folder: string;
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly timeZone: string;
  readonly thread: string;
  readonly clock?: Clock;
  /** Told once when the log cannot be written. */
  readonly onProblem?: (text: string) => void;
}

export interface Log {
  debug(message: string, at?: LogPlace): void;
  info(message: string, at?: LogPlace): void;
  warn(message: string, at?: LogPlace): void;
  error(message: string, at?: LogPlace): void;
  /** Also into YYYYMMDD-threading-error.log. */
  threadingError(message: string, at?: LogPlace): void;
  close(): void;
}

export function createLog(options: LogOptions): Log {
  const main = openDayFile({ ...options, suffix: 'info' });
  const threading = openDayFile({ ...options, suffix: 'threading-error' });
  const toMain = createPino(options, main);
  const toThreading = createPino(options, threading);
  const at = (level: LogLevel) => (message: string, place?: LogPlace) => toMain[level]({ ...place }, message);
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    threadingError(message, place) {
      toMain.error({ ...place }, message);
      toThreading.error({ ...place }, message);
    },
    close() {
      main.close();
      threading.close();
    },
  };
}

function createPino(options: LogOptions, file: DayFile): pino.Logger {
  const clock = options.clock ?? systemClock;
  const local = createLocalClock(options.timeZone);
  const write =
    options.format === 'json'
      ? (record: string) => file.append(record)
      : (record: string) => file.append(`${toLine(record, local)}\n`);
  return pino(
    {
      level: options.level,
      base: { pid: process.pid, thread: options.thread },
      timestamp: () => `,"time":${clock().getTime()}`,
    },
    { write },
  );
}

interface PinoRecord extends Partial<LogPlace> {
  readonly time: number;
  readonly pid: number;
  readonly thread: string;
  readonly msg: string;
}

function toLine(json: string, local: ReturnType<typeof createLocalClock>): string {
  const { time, pid, thread, msg, acntid, emfdid } = JSON.parse(json) as PinoRecord;
  const { date, time: timeOfDay } = local(new Date(time));
  const place = acntid === undefined ? undefined : { acntid, ...(emfdid === undefined ? {} : { emfdid }) };
  return formatLogLine({ at: `${date} ${timeOfDay}`, pid, thread, message: msg, place });
}
