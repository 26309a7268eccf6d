/**
 * The log of one thread. pino makes the records, a destination of ours writes them: synchronously, one write a line, with
 * O_APPEND, so that several threads share a file and kill -9 loses nothing that was logged. A log that can't be written
 * never stops the work: it is told once, opening is tried again with every line, and how many lines were lost is told and
 * logged when it can be written again.
 */
import pino from 'pino';
import { type Clock, createLocalClock, systemClock } from './clock.ts';
import { type DayFile, openDayFile } from './day-file.ts';
import { toJournal } from './journal.ts';
import { formatLogLine, formatMessage, type LogPlace } from './log-line.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'line' | 'json';

export interface LogOptions {
  readonly folder: string;
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly timeZone: string;
  readonly thread: string;
  /** Also to the journal: stderr is one, and the configuration asks for it (isJournal). */
  readonly journal?: boolean;
  readonly clock?: Clock;
  /** Told once when the log cannot be written, and once when it can be again. */
  readonly onProblem?: (text: string) => void;
}

export interface Log {
  debug(message: string, at?: LogPlace): void;
  info(message: string, at?: LogPlace): void;
  warn(message: string, at?: LogPlace): void;
  error(message: string, at?: LogPlace): void;
  /** Also into YYYYMMDD-threading-error.log. */
  threadingError(message: string, at?: LogPlace): void;
  /** From the next line on; `reload` tells every thread. */
  setLevel(level: LogLevel): void;
  close(): void;
}

export function createLog(options: LogOptions): Log {
  const onRecovery = (lostCount: number): void => {
    const text = `the log can be written again: ${lostCount} lines were lost`;
    toMain.warn({}, text);
    options.onProblem?.(text);
  };
  const main = openDayFile({ ...options, suffix: 'info', onRecovery });
  const threading = openDayFile({ ...options, suffix: 'threading-error' });
  const toMain = createPino(options, main);
  const toThreading = createPino({ ...options, journal: false }, threading);
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
    setLevel(level) {
      toMain.level = level;
    },
    close() {
      main.close();
      threading.close();
    },
  };
}

function createPino(options: LogOptions, file: DayFile): pino.Logger {
  const clock = options.clock ?? systemClock;
  const toLine = createFormat(options);
  return pino(
    {
      level: options.level,
      base: { pid: process.pid, thread: options.thread },
      timestamp: () => `,"time":"${clock().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    {
      write(json: string) {
        file.append(toLine(json));
        if (options.journal === true) mirror(json);
      },
    },
  );
}

interface PinoRecord extends Partial<LogPlace> {
  readonly level: LogLevel;
  readonly time: string;
  readonly pid: number;
  readonly thread: string;
  readonly msg: string;
}

const placeOf = ({ acntid, emfdid }: PinoRecord): LogPlace | undefined =>
  acntid === undefined ? undefined : { acntid, ...(emfdid === undefined ? {} : { emfdid }) };

function createFormat({ format, timeZone }: LogOptions): (json: string) => string {
  if (format === 'json') return (json) => json;
  const local = createLocalClock(timeZone);
  return (json) => {
    const record = JSON.parse(json) as PinoRecord;
    const { date, time } = local(new Date(record.time));
    const { pid, thread, msg: message } = record;
    return `${formatLogLine({ at: `${date} ${time}`, pid, thread, message, place: placeOf(record) })}\n`;
  };
}

function mirror(json: string): void {
  const record = JSON.parse(json) as PinoRecord;
  toJournal(record.level, formatMessage({ message: record.msg, place: placeOf(record) }));
}
