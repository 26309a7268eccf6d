/** What a reading task is given, and what it tells back: plain data and the ports to the outside. */
import type { Clock } from '../base/clock.ts';
import type { Store } from '../store/store.ts';
import type { PassLog } from './pass.ts';

export interface ReadTask {
  /** Mails to read at most. */
  readonly countMax: number;
  /** No further claim is made after this; what is claimed by then is read. */
  readonly msMax: number;
}

export interface ReadReport {
  readonly readCount: number;
  /** Mails that this reader cannot read; their bytes are stored all the same. */
  readonly failedCount: number;
  /** Of raw messages. */
  readonly readBytes: number;
  /** Messages put into conversations. */
  readonly threadedCount: number;
  /** The task ended by its bounds: another would find work at once. */
  readonly hasMore: boolean;
}

export interface ReadPorts {
  readonly store: Store;
  readonly log: PassLog;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told after each write. */
  readonly onProgress?: (report: ReadReport) => void;
}
