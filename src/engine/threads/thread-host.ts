/** What a worker thread gives to each kind of work, and what it asks of it. */
import type { CredentialsOf } from '../../base/credentials.ts';
import type { Log } from '../../base/log.ts';
import type { Store } from '../../store/store.ts';
import type { FromThread, ThreadStart } from './protocol.ts';

export interface ThreadHost {
  readonly start: ThreadStart;
  readonly store: Store;
  readonly log: Log;
  readonly credentialsOf: CredentialsOf;
  readonly tell: (message: FromThread) => void;
}

export interface Work<Task, Report> {
  /** What it throws is sent as data. Once `signal` fires it ends soon, with `aborted`. */
  run(task: Task, signal: AbortSignal): Promise<Report>;
  /** Gives up what is kept open for this account. */
  release(acntid: number): Promise<void>;
  /** Nothing runs any more. */
  close(): Promise<void>;
}
