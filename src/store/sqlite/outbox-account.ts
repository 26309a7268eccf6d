/** How an account's sending is doing: apart from its reading, because one server may be well while the other is not. */
import type { Instant } from '../../base/clock.ts';
import type { SendingState, SentCopy, SmtpHealth, Usage } from '../outbox-entry.ts';
import type { Connection } from './connection.ts';

interface SendingRow {
  smtp_state: SmtpHealth['state'];
  smtp_last_error: string | null;
  smtp_retry_at: string | null;
  smtp_failure_count: number;
  sent_copy: SentCopy;
  sent_copy_learned: 'server' | 'append' | null;
  outbox_limits: string | null;
}

const sql = `SELECT smtp_state, smtp_last_error, smtp_retry_at, smtp_failure_count, sent_copy, sent_copy_learned, outbox_limits
  FROM email_accounts WHERE acntid = ?`;

export function sendingState(c: Connection, acntid: number): SendingState | undefined {
  const row = c.get<SendingRow>(sql, acntid);
  if (!row) return undefined;
  const smtpHealth = {
    state: row.smtp_state,
    lastError: row.smtp_last_error,
    retryAt: row.smtp_retry_at,
    failureCount: row.smtp_failure_count,
  };
  const { sent_copy: sentCopy, sent_copy_learned: sentCopyLearned, outbox_limits: outboxLimits } = row;
  return { smtpHealth, sentCopy, sentCopyLearned, outboxLimits };
}

/** A refused login is shown as the account's state too; the rest of that is reading's to say. */
export function recordSmtpHealth(c: Connection, acntid: number, health: SmtpHealth): void {
  const { state, lastError, retryAt, failureCount } = health;
  c.run(
    `UPDATE email_accounts SET smtp_state = ?, smtp_last_error = ?, smtp_retry_at = ?, smtp_failure_count = ?,
      state = CASE WHEN ? = 'auth_error' THEN 'auth_error' WHEN smtp_state = 'auth_error' AND retry_at IS NULL THEN 'ok'
        ELSE state END,
      last_error = CASE WHEN ? = 'auth_error' THEN ? WHEN smtp_state = 'auth_error' AND retry_at IS NULL THEN NULL
        ELSE last_error END WHERE acntid = ?`,
    state,
    lastError,
    retryAt,
    failureCount,
    state,
    state,
    lastError,
    acntid,
  );
}

export function learnSentCopy(c: Connection, acntid: number, learned: 'server' | 'append'): void {
  c.run('UPDATE email_accounts SET sent_copy_learned = ? WHERE acntid = ?', learned, acntid);
}

const dayMs = 24 * 60 * 60_000;

/**
 * This minute in full, and of the minute before as much as still lies within 60 seconds. What lies more than a day ahead was written
 * by a clock that was wrong: it would use up every day until then.
 */
export function outboxUsage(c: Connection, acntid: number, now: Instant): Usage {
  const nowMs = Date.parse(now);
  const minute = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
  const messages = 'SELECT messages FROM outbox_usage WHERE acntid = ? AND minute = ?';
  const inMinute = (at: string): number => c.get<{ messages: number }>(messages, acntid, at)?.messages ?? 0;
  const share = 1 - (nowMs % 60_000) / 60_000;
  const day = `SELECT coalesce(sum(recipients), 0) AS recipients FROM outbox_usage
    WHERE acntid = ? AND minute > ? AND minute < ?`;
  return {
    messagesLastMinute: inMinute(minute(nowMs)) + Math.ceil(inMinute(minute(nowMs - 60_000)) * share),
    recipientsLastDay:
      c.get<{ recipients: number }>(day, acntid, minute(nowMs - dayMs), minute(nowMs + dayMs))?.recipients ?? 0,
  };
}
