/**
 * What keeps a store fit for months: what has expired goes in small steps, the WAL stays small, and its size is remembered so
 * that the disk's end can be foretold. None of it touches a live message, or anything that the ledger counts.
 */
import type { Instant } from '../base/clock.ts';

/** Null: such rows are kept for ever. Made by upkeep/expiry-limits.ts. */
export interface ExpiryLimits {
  /** Rows of messages that vanished before this go. */
  readonly tombstonesBefore: Instant | null;
  /** Contents whose last row went before this go: whoever read of one earlier has finished with it. */
  readonly contentsBefore: Instant;
  readonly changesBefore: Instant | null;
  /** Finished outbox entries to which nothing happened since lose text, raw bytes and attempts. */
  readonly outboxBefore: Instant | null;
  readonly at: Instant;
}

export interface ExpiryReport {
  readonly tombstoneCount: number;
  readonly contentCount: number;
  readonly changeCount: number;
  readonly outboxCount: number;
  /** False: call again, there may be more. */
  readonly isDone: boolean;
}

export interface RemovalStep {
  readonly messageCount: number;
  /** True: no account is being removed. */
  readonly isDone: boolean;
}

export interface WalReport {
  /** Of the file mail.db-wal, afterwards. */
  readonly bytes: number;
  /** True: a read or write of another program kept it from being emptied. */
  readonly isHeld: boolean;
}

/** At one instant of a local or UTC day. */
export interface StoreSize {
  readonly at: Instant;
  readonly bytes: number;
  /** Of these, pages that are free for new mail. */
  readonly freeBytes: number;
}

export interface UpkeepReads {
  /** At most one a day, oldest first. */
  storeSizes(): Promise<StoreSize[]>;
}

export interface UpkeepWrites {
  /** One bounded step of it: some hundred rows, some ten milliseconds. Doing it again after a crash does no harm. */
  expire(limits: ExpiryLimits): Promise<ExpiryReport>;
  /** One bounded step of the removals that have begun (StoreWrites.removeAccount). */
  clearRemoved(): Promise<RemovalStep>;
  /** Remembers the size of today, once a day. */
  recordSize(at: Instant): Promise<void>;
  /** Moves the WAL into the database and cuts the file, if nobody is in the way; waits for nobody. No transaction. */
  shrinkWal(): Promise<WalReport>;
}
