/**
 * What the outbox asks of a store. What an attempt is about to do is durable before it does it, and what it found out is written in
 * one transaction with the state that follows from it (store/outbox-state.ts).
 */
import type { Instant } from '../base/clock.ts';
import type {
  AnsweredMessage,
  AttemptBatch,
  AttemptProgress,
  BegunAttempt,
  FollowUp,
  FollowUpRecord,
  MailKey,
  MessagePlace,
  NewOutboxEntry,
  OutboxAction,
  OutboxDue,
  OutboxEntry,
  RecoveredAttempts,
  Resolution,
  SendingState,
  SmtpHealth,
  StoredPart,
  Usage,
} from './outbox-entry.ts';
import type { OutboxDetail, OutboxFilter, OutboxSummary } from './outbox-view.ts';

export interface OutboxReads {
  /** Cheap beside a million finished entries, and meant to be asked several times a second. At most `limit` accounts each. */
  outboxDue(now: Instant, limit: number): Promise<OutboxDue>;
  /** Differs from the last answer when another connection has committed since; costs microseconds. */
  dataVersion(): Promise<number>;
  sendingState(acntid: number): Promise<SendingState | undefined>;
  /** Due entries of an account, higher priority first, then the oldest; bytes of `raw` bounded, at least one. */
  outboxBatch(acntid: number, now: Instant, limit: number): Promise<OutboxEntry[]>;
  outboxUsage(acntid: number, now: Instant): Promise<Usage>;
  outboxEntries(filter: OutboxFilter): Promise<OutboxSummary[]>;
  outboxDetail(id: number): Promise<OutboxDetail | undefined>;
  /** The bytes that were or will be sent. */
  outboxRaw(id: number): Promise<Uint8Array | undefined>;
  followUps(acntid: number, now: Instant, limit: number): Promise<FollowUp[]>;
  /** Undefined: no such message in this account. */
  answeredMessage(acntid: number, messageId: number): Promise<AnsweredMessage | undefined>;
  /** Live copies of a message's content in its account. */
  messagePlaces(acntid: number, messageId: number): Promise<MessagePlace[]>;
  /** Is a live message with this Message-ID stored in one of these folders? */
  hasStoredCopy(acntid: number, messageIdHeader: string, paths: readonly string[]): Promise<boolean>;
  /** Has another entry of its account the same Message-ID? Looks through the account's entries: to be asked seldom. */
  isMessageIdShared(outboxId: number): Promise<boolean>;
  /** Raw bytes of a stored mail, if the account has it live. */
  storedMail(acntid: number, by: MailKey, id: number): Promise<Uint8Array | undefined>;
  /** What is known of a part of it (email_attachments). */
  storedPart(acntid: number, by: MailKey, id: number, part: string): Promise<StoredPart | undefined>;
}

export interface OutboxWrites {
  /** The same idempotency key twice is one entry: the second time its id comes back. Throws `account_unknown`. */
  enqueueOutbox(entry: NewOutboxEntry): Promise<{ readonly id: number; readonly isNew: boolean }>;
  /**
   * Writes down what is about to be tried, before anybody dials: rendered MIME, recipients, attempts, state `sending`. Entries
   * that are no longer due (cancelled in between) are left out of the answer.
   */
  beginAttempts(batch: AttemptBatch): Promise<BegunAttempt[]>;
  /** Returns those of `dataStarted` that are no longer running: their body must not leave. */
  recordAttempts(progress: AttemptProgress): Promise<readonly number[]>;
  /** The account was in trouble, not the messages: as if these attempts had never begun. */
  releaseAttempts(attemptIds: readonly number[], lastError: string | null, at: Instant): Promise<void>;
  /**
   * Ends attempts that a dead engine or thread left behind: before `data_started` they are due again (after three in a row with
   * the usual wait), after it nobody knows. Call when no task of the account runs; null: of all accounts, at the engine's start.
   */
  recoverAttempts(acntid: number | null, at: Instant): Promise<RecoveredAttempts>;
  /**
   * No entry, account or follow-up waits longer than any schedule has it wait, whatever the clock said when the wait was written.
   * For a start, and for a clock that was set. `authRetryMs`: what an account waits for an operator.
   */
  clampWaits(now: Instant, authRetryMs: number): Promise<void>;
  /** A bad entry: never attempted, kept with its reason. */
  rejectEntry(id: number, lastError: string, at: Instant): Promise<void>;
  recordSmtpHealth(acntid: number, health: SmtpHealth): Promise<void>;
  recordFollowUp(record: FollowUpRecord): Promise<void>;
  /** The account's IMAP server is in trouble: everything due by `now` waits until `nextAt`. */
  postponeFollowUps(acntid: number, now: Instant, nextAt: Instant): Promise<void>;
  learnSentCopy(acntid: number, learned: 'server' | 'append'): Promise<void>;
  /** Throws `not_found`, and `outbox_not_possible` in a state that does not allow it. */
  changeOutbox(id: number, action: OutboxAction, at: Instant): Promise<void>;
  /** Holds all that somebody has still to get, of every account; returns how many. For a restored copy of the store. */
  holdWaiting(): Promise<number>;
  /** Settles an unknown entry. Throws `not_found`, `outbox_not_possible`. */
  resolveUnknown(id: number, resolution: Resolution, at: Instant): Promise<void>;
}
