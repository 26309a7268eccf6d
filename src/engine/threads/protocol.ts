/** Everything that crosses between the main thread and a worker thread: plain data, declared here and nowhere else. */
import type { MessagePort } from 'node:worker_threads';
import type { ErrorRecord } from '../../base/errors.ts';
import type { LogFormat, LogLevel } from '../../base/log.ts';
import type { FileReport, FileTask, OutboxSettings, SendReport, SendTask } from '../../outbox/task.ts';
import type { PassLimits, PassReport, PassTask, Progress } from '../../sync/pass.ts';
import type { ReadReport, ReadTask } from '../../sync/read.ts';

/** What a thread can be asked to do, and what it tells when that is done. */
export interface TaskKinds {
  readonly pass: { readonly task: PassTask; readonly report: PassReport };
  readonly send: { readonly task: SendTask; readonly report: SendReport };
  readonly file: { readonly task: FileTask; readonly report: FileReport };
  readonly read: { readonly task: ReadTask; readonly report: ReadReport };
}

export type TaskKind = keyof TaskKinds;
export type TaskOf<K extends TaskKind> = TaskKinds[K]['task'];
export type ReportOf<K extends TaskKind> = TaskKinds[K]['report'];

export interface LogStart {
  readonly folder: string;
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly timeZone: string;
  readonly journal: boolean;
}

/** workerData of a worker thread. */
export interface ThreadStart {
  /** `t1` … `tN` */
  readonly thread: string;
  /** What it is started for: the code of this is loaded at once, that of others with their first task. */
  readonly first: TaskKind;
  /** One BigInt64: when the thread's event loop last turned, by process.hrtime. The watchdog reads it. */
  readonly beat: SharedArrayBuffer;
  /** To the store thread. */
  readonly storePort: MessagePort;
  readonly storeFile: string;
  readonly keyFile: string;
  /** EMAIL_PASSWORD_COMMAND */
  readonly passwordCommand: readonly string[] | null;
  readonly limits: PassLimits;
  /** What incomplete answers hold in each thread (imap/answer-room.ts). */
  readonly heldKib: SharedArrayBuffer;
  /** Of the whole process, which ends itself beyond it. */
  readonly memoryBytesMax: number;
  readonly outbox: OutboxSettings;
  readonly log: LogStart;
  /** Progress is sent at most this often per account. */
  readonly progressMs: number;
}

export type ToThread =
  | { readonly kind: 'task'; readonly taskId: number; readonly what: TaskKind; readonly task: unknown }
  /** Cut its connections; it ends with `aborted`. */
  | { readonly kind: 'cancel'; readonly taskId: number }
  /** Close the connection kept for this account. */
  | { readonly kind: 'release'; readonly acntid: number }
  /** Finish what is committed, leave the rest to the next pass, end. */
  | { readonly kind: 'stop' };

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'done'; readonly taskId: number; readonly report: unknown }
  | { readonly kind: 'failed'; readonly taskId: number; readonly error: ErrorRecord }
  /** The server told of a change in a watched INBOX. */
  | { readonly kind: 'stirred'; readonly acntid: number }
  /** A kept connection is gone. */
  | { readonly kind: 'lost'; readonly acntid: number }
  /** Its log cannot be written, or can be again. */
  | { readonly kind: 'logTrouble'; readonly text: string };

/** The beat's clock: monotonic, the same in all threads. */
export const beatNow = (): bigint => process.hrtime.bigint();
export const beatMs = 500;
