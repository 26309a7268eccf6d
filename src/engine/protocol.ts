/** Everything that crosses between the main thread and a worker thread: plain data, declared here and nowhere else. */
import type { MessagePort } from 'node:worker_threads';
import type { ErrorRecord } from '../base/errors.ts';
import type { LogFormat, LogLevel } from '../base/log.ts';
import type { PassLimits, PassReport, PassTask, Progress } from '../sync/pass.ts';

/** workerData of a worker thread. */
export interface ThreadStart {
  /** `t1` … `tN` */
  readonly thread: string;
  /** To the store thread. */
  readonly storePort: MessagePort;
  readonly storeFile: string;
  readonly keyFile: string;
  readonly limits: PassLimits;
  readonly log: {
    readonly folder: string;
    readonly level: LogLevel;
    readonly format: LogFormat;
    readonly timeZone: string;
  };
  /** Progress is sent at most this often per account. */
  readonly progressMs: number;
}

export type ToThread =
  | { readonly kind: 'task'; readonly taskId: number; readonly task: PassTask }
  /** Finish what is committed, leave the rest to the next pass, end. */
  | { readonly kind: 'stop' };

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'done'; readonly taskId: number; readonly report: PassReport }
  | { readonly kind: 'failed'; readonly taskId: number; readonly error: ErrorRecord };
