/**
 * The words of the outbox as plain data. An entry is one mail; an attempt is one SMTP transaction over some of its recipients; a
 * follow-up is what is left to do on the IMAP side. Column values that applications wrote are handed out as they stand.
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
 * `body_sent` when the final reply is late. `connect` and `envelope` only say where an ended one failed.
 */
export type AttemptPhase = 'sending' | 'connect' | 'envelope' | 'data_started' | 'body_sent';

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
  /** The columns as they were understood; of a whole message, what its header says. */
  readonly understood: UnderstoodColumns;
}

export interface UnderstoodColumns {
  readonly subject: string | null;
  readonly from: readonly Address[];
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
}

interface Address {
  readonly name: string;
  readonly address: string;
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
  /** When the first attempt began: the server may have filed the mail from then on. */
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
