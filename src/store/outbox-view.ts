/** Outbox entries as people and programs look at them. */
import type { Instant } from '../base/clock.ts';
import type { AttemptPhase, OutboxState, Resolution, Verdict } from './outbox-entry.ts';

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
