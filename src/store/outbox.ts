/**
 * What the outbox asks of a store. An entry is one mail; an attempt is one SMTP transaction over some of its recipients. What
 * an attempt is about to do is durable before it does it, and what it found out is written in one transaction with the state
 * that follows from it (store/outbox-state.ts). Column values that applications wrote are handed out as they stand.
 */
import type { Instant } from '../base/clock.ts';

export type OutboxState =
  | 'queued'
  | 'held'
  | 'sending'
  | 'delivered'
  | 'deferred'
  | 'rejected'
  | 'unknown'
  | 'cancelled';

export type Verdict = 'delivered' | 'deferred' | 'rejected' | 'unknown';

/**
 * How far an attempt came. Durable while it runs: `sending` before dialling, `data_started` before a byte of the body leaves,
 * `body_sent` when the final reply is late. `connect`, `login` and `envelope` only say where an ended one failed.
 */
export type AttemptPhase = 'sending' | 'connect' | 'login' | 'envelope' | 'data_started' | 'body_sent';

/** `auto`: find out whether the server files a Sent copy itself. */
export type SentCopy = 'auto' | 'server' | 'append' | 'off';

/** How an unknown entry was settled: by a copy in Sent, by a person, or by EMAIL_OUTBOX_UNKNOWN. */
export type Resolution = 'found' | 'sent' | 'resend' | 'resend-once';

export type FollowUpKind = 'file' | 'answer' | 'lookup';

export interface SmtpHealth {
  readonly state: 'ok' | 'auth_error' | 'backoff';
  readonly lastError: string | null;
  /** Nothing is sent before; also when a limit of the provider is reached, with state ok. */
  readonly retryAt: Instant | null;
  readonly failureCount: number;
}

/** Of an account, what concerns sending alone. */
export interface SendingState {
  readonly smtpHealth: SmtpHealth;
  readonly sentCopy: SentCopy;
  readonly sentCopyLearned: 'server' | 'append' | null;
  /** JSON that overrides the provider's limits for this account; null: none. */
  readonly outboxLimits: string | null;
}

export interface DueAccount {
  readonly acntid: number;
  /** Where a task for it connects to, for budgets; null: the account cannot send, and a task says so. */
  readonly host: string | null;
  /** When its oldest work became due; empty: at once. */
  readonly dueAt: Instant;
}

export interface OutboxDue {
  /** With mail to send, or with attempts that nobody finished. An account that has a sending task now may be among them. */
  readonly send: readonly DueAccount[];
  /** With Sent copies, lookups or \Answered to do. */
  readonly file: readonly DueAccount[];
  /** When something that is not due now becomes due; null: nothing will by itself. */
  readonly nextAt: Instant | null;
}

/** As applications wrote them; anything may be wrong in there. */
export interface OutboxColumns {
  readonly smtpFrom: string | null;
  readonly recipients: string | null;
  readonly fromAddress: string | null;
  readonly toAddresses: string | null;
  readonly ccAddresses: string | null;
  readonly bccAddresses: string | null;
  readonly replyTo: string | null;
  readonly inReplyToId: number | null;
  readonly raw: Uint8Array | string | null;
  readonly subject: string | null;
  readonly bodyText: string | null;
  readonly bodyHtml: string | null;
  readonly headers: string | null;
  readonly attachments: string | null;
  readonly messageIdHeader: string | null;
}

export interface OutboxEntry {
  readonly id: number;
  readonly acntid: number;
  readonly columns: OutboxColumns;
  /** Rendered and fixed: `columns.raw` are the bytes to send. */
  readonly isComposed: boolean;
  readonly createdAt: Instant;
  readonly sendAfter: Instant | null;
  readonly attemptCount: number;
  readonly firstAttemptAt: Instant | null;
  /** Of a composed entry: envelope addresses to try now. */
  readonly pending: readonly string[];
}

/** What composing fixed for ever. */
export interface ComposedEntry {
  readonly raw: Uint8Array;
  readonly messageIdHeader: string;
  readonly xBackprocId: string;
  readonly smtpFrom: string;
  /** Envelope addresses, each once. */
  readonly recipients: readonly string[];
  /** The attachments column with the size and SHA-256 of what was read. */
  readonly attachments: string | null;
}

export interface BeginEntry {
  readonly id: number;
  /** First attempt only. */
  readonly composed: ComposedEntry | null;
  /** Envelope addresses of each SMTP transaction. */
  readonly transactions: readonly (readonly string[])[];
}

export interface AttemptBatch {
  readonly acntid: number;
  readonly entries: readonly BeginEntry[];
  readonly at: Instant;
}

export interface BegunAttempt {
  readonly attemptId: number;
  readonly outboxId: number;
  readonly recipients: readonly string[];
}

export interface RecipientResult {
  readonly address: string;
  readonly verdict: Verdict;
  readonly code: number | null;
  readonly response: string | null;
  /** Deferred ones only. */
  readonly nextAttemptAt: Instant | null;
}

export interface AttemptResult {
  readonly attemptId: number;
  readonly outboxId: number;
  readonly phase: AttemptPhase;
  readonly verdict: Verdict;
  readonly code: number | null;
  readonly response: string | null;
  readonly durationMs: number;
  readonly at: Instant;
  readonly recipients: readonly RecipientResult[];
  /** For people; null: nothing went wrong. */
  readonly lastError: string | null;
  /** When the Sent copy is looked after, should the entry be delivered by this; null: no copy is wanted. */
  readonly fileAt: Instant | null;
  /** When Sent is looked at first, should the outcome be unknown. */
  readonly lookupAt: Instant;
}

/** What several connections have to write at one moment: one transaction. */
export interface AttemptProgress {
  /** The body may leave once this is committed. */
  readonly dataStarted: readonly number[];
  /** The final reply is late. */
  readonly bodySent: readonly number[];
  readonly finished: readonly AttemptResult[];
}

export interface RecoveredAttempts {
  /** Interrupted before the body: sent again. */
  readonly retried: number;
  /** Interrupted after: nobody knows. */
  readonly unknown: number;
}

export interface FollowUp {
  readonly outboxId: number;
  readonly kind: FollowUpKind;
  readonly tries: number;
  /** An APPEND was begun: a copy that is found now may be ours. */
  readonly isBegun: boolean;
  readonly messageIdHeader: string | null;
  readonly xBackprocId: string | null;
  readonly sentAt: Instant | null;
  readonly inReplyToId: number | null;
  /** When the last attempt began. */
  readonly attemptedAt: Instant | null;
  /** Some recipient was served before the outcome became unknown: a copy in Sent proves nothing. */
  readonly hasDelivered: boolean;
  /** By EMAIL_OUTBOX_UNKNOWN, and not a second time. */
  readonly wasResent: boolean;
  readonly recipients: readonly string[];
}

/** What became of a follow-up. Without `nextAt` it is done. */
export interface FollowUpRecord {
  readonly outboxId: number;
  readonly kind: FollowUpKind;
  readonly nextAt: Instant | null;
  /** Written before the APPEND, which cannot be taken back. */
  readonly isBegun?: boolean;
  readonly filedAt?: Instant;
  readonly fileError?: string | null;
}

export interface NewOutboxEntry {
  readonly acntid: number;
  readonly state: 'queued' | 'held';
  readonly columns: Partial<OutboxColumns>;
  readonly idempotencyKey: string | null;
  readonly priority: number;
  readonly sendAfter: Instant | null;
}

export type OutboxAction = 'retry' | 'cancel' | 'hold';

export interface OutboxSummary {
  readonly id: number;
  readonly acntid: number;
  readonly state: OutboxState;
  readonly subject: string | null;
  readonly messageIdHeader: string | null;
  readonly priority: number;
  readonly sendAfter: Instant | null;
  readonly attemptCount: number;
  readonly nextAttemptAt: Instant | null;
  readonly lastCode: number | null;
  readonly lastError: string | null;
  readonly createdAt: Instant;
  readonly sentAt: Instant | null;
  readonly filedAt: Instant | null;
}

export interface OutboxRecipient {
  readonly address: string;
  readonly verdict: Verdict | null;
  readonly code: number | null;
  readonly response: string | null;
  readonly nextAttemptAt: Instant | null;
}

export interface OutboxAttempt {
  readonly id: number;
  readonly startedAt: Instant;
  readonly durationMs: number | null;
  readonly phase: AttemptPhase;
  readonly verdict: Verdict | null;
  readonly code: number | null;
  readonly response: string | null;
  readonly recipientCount: number | null;
}

export interface OutboxDetail extends OutboxSummary {
  readonly smtpFrom: string | null;
  readonly toAddresses: string | null;
  readonly ccAddresses: string | null;
  readonly inReplyToId: number | null;
  readonly idempotencyKey: string | null;
  readonly xBackprocId: string | null;
  readonly delayedAt: Instant | null;
  readonly resolved: Resolution | null;
  readonly sentMessageId: number | null;
  readonly fileError: string | null;
  readonly rawBytes: number | null;
  readonly recipients: readonly OutboxRecipient[];
  readonly attempts: readonly OutboxAttempt[];
}

export interface OutboxFilter {
  readonly acntid?: number;
  readonly states?: readonly OutboxState[];
  readonly limit: number;
  readonly beforeId?: number;
}

export interface Usage {
  /** Messages begun within the last 60 seconds, as nearly as whole minutes tell. */
  readonly messagesLastMinute: number;
  readonly recipientsLastDay: number;
}

/** What an answer quotes of the message it answers. */
export interface AnsweredMessage {
  readonly messageIdHeader: string | null;
  readonly inReplyTo: string | null;
  readonly references: string | null;
}

/** A live copy of a stored message, where \Answered can be set. */
export interface MessagePlace {
  readonly path: string;
  readonly uidValidity: number;
  readonly uid: number;
  readonly flags: string;
}

export type MailKey = 'content_id' | 'message_id';

export interface StoredPart {
  readonly filename: string | null;
  readonly contentType: string | null;
}

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
   * For the engine's start, and now and then.
   */
  clampWaits(now: Instant): Promise<void>;
  /** A bad entry: never attempted, kept with its reason. */
  rejectEntry(id: number, lastError: string, at: Instant): Promise<void>;
  recordSmtpHealth(acntid: number, health: SmtpHealth): Promise<void>;
  recordFollowUp(record: FollowUpRecord): Promise<void>;
  /** The account's IMAP server is in trouble: everything due by `now` waits until `nextAt`. */
  postponeFollowUps(acntid: number, now: Instant, nextAt: Instant): Promise<void>;
  learnSentCopy(acntid: number, learned: 'server' | 'append'): Promise<void>;
  /** Throws `not_found`, and `outbox_not_possible` in a state that does not allow it. */
  changeOutbox(id: number, action: OutboxAction, at: Instant): Promise<void>;
  /** Settles an unknown entry. Throws `not_found`, `outbox_not_possible`. */
  resolveUnknown(id: number, resolution: Resolution, at: Instant): Promise<void>;
}
