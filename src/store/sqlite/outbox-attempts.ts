/** Attempts begin and end. What is about to happen is here before it happens; what happened, with the state that follows. */
import type { Instant } from '../../base/clock.ts';
import type {
  AttemptBatch,
  AttemptProgress,
  AttemptResult,
  BeginEntry,
  BegunAttempt,
  ComposedEntry,
  RecipientResult,
} from '../outbox-entry.ts';
import type { Connection } from './connection.ts';
import { isDue } from './no-time.ts';
import { settleEntry } from './outbox-settle.ts';

export function beginAttempts(c: Connection, batch: AttemptBatch): BegunAttempt[] {
  const begun = batch.entries.flatMap((entry) => beginEntry(c, batch, entry));
  countUsage(c, batch.acntid, batch.at, begun);
  return begun;
}

/** As SQL: has the entry an attempt without an end? A dead engine's are ended before a task begins any. */
export const isUnderWay = (outboxId: string): string =>
  `EXISTS (SELECT 1 FROM email_outbox_attempts WHERE outbox_id = ${outboxId} AND verdict IS NULL)`;

/**
 * Only what is still due: the application may have cancelled or held it since it was read. And nothing twice at a time: it may have
 * made `queued` what is being sent.
 */
function beginEntry(c: Connection, { acntid, at }: AttemptBatch, entry: BeginEntry): BegunAttempt[] {
  const due = `SELECT 1 FROM email_outbox WHERE id = ? AND acntid = ? AND ${isDue('due_at')}
    AND NOT ${isUnderWay('email_outbox.id')}`;
  if (!c.get(due, entry.id, acntid, at)) return [];
  if (entry.composed) fixEntry(c, entry.id, entry.composed, at);
  else c.run(`UPDATE email_outbox SET ${begun} WHERE id = ?`, entry.id);
  return entry.transactions.map((recipients) => {
    const attemptId = insertAttempt(c, entry.id, recipients.length, at);
    for (const address of recipients) assign(c, entry, address, attemptId);
    return { attemptId, outboxId: entry.id, recipients };
  });
}

const begun = "state = 'sending', next_attempt_at = NULL, attempt_count = attempt_count + 1";

function fixEntry(c: Connection, id: number, composed: ComposedEntry, at: Instant): void {
  const { subject, from, to, cc, bcc } = composed.understood;
  c.run(
    `UPDATE email_outbox SET ${begun}, raw = ?, message_id_header = ?, x_backproc_id = ?, smtp_from = ?, recipients = ?,
      attachments = ?, subject = ?, from_address = ?, to_addresses = ?, cc_addresses = ?, bcc_addresses = ?,
      composed_at = ? WHERE id = ?`,
    composed.raw,
    composed.messageIdHeader,
    composed.xBackprocId,
    composed.smtpFrom,
    JSON.stringify(composed.recipients),
    composed.attachments,
    subject,
    ...[from, to, cc, bcc].map((addresses) => JSON.stringify(addresses)),
    at,
    id,
  );
}

function insertAttempt(c: Connection, outboxId: number, recipientCount: number, at: Instant): number {
  const sql = `INSERT INTO email_outbox_attempts (outbox_id, started_at, phase, recipient_count) VALUES (?, ?, 'sending', ?)`;
  return c.insert(sql, outboxId, at, recipientCount);
}

function assign(c: Connection, entry: BeginEntry, address: string, attemptId: number): void {
  const known = 'UPDATE email_outbox_recipients SET attempt_id = ? WHERE outbox_id = ? AND address = ?';
  if (!entry.composed && c.run(known, attemptId, entry.id, address) > 0) return;
  const sql = 'INSERT INTO email_outbox_recipients (outbox_id, address, attempt_id) VALUES (?, ?, ?)';
  c.run(sql, entry.id, address, attemptId);
}

function countUsage(c: Connection, acntid: number, at: Instant, attempts: readonly BegunAttempt[]): void {
  if (attempts.length === 0) return;
  const recipients = attempts.reduce((sum, attempt) => sum + attempt.recipients.length, 0);
  const sql = `INSERT INTO outbox_usage (acntid, minute, messages, recipients) VALUES (?, ?, ?, ?)
    ON CONFLICT (acntid, minute) DO UPDATE SET messages = messages + excluded.messages,
    recipients = recipients + excluded.recipients`;
  c.run(sql, acntid, at.slice(0, 16), attempts.length, recipients);
}

export function recordAttempts(c: Connection, progress: AttemptProgress): readonly number[] {
  const started = `UPDATE email_outbox_attempts SET phase = 'data_started' WHERE id = ? AND verdict IS NULL AND phase = 'sending'`;
  const sent = `UPDATE email_outbox_attempts SET phase = 'body_sent' WHERE id = ? AND verdict IS NULL`;
  const lost = progress.dataStarted.filter((attemptId) => c.run(started, attemptId) === 0);
  for (const attemptId of progress.bodySent) c.run(sent, attemptId);
  for (const result of progress.finished) finishAttempt(c, result);
  return lost;
}

/** An attempt that somebody else has ended (a newer engine) stays as it was ended. */
function finishAttempt(c: Connection, result: AttemptResult): void {
  const sql = `UPDATE email_outbox_attempts SET duration_ms = ?, phase = ?, verdict = ?, code = ?, response = ?
    WHERE id = ? AND verdict IS NULL`;
  const { attemptId, outboxId, durationMs, phase, verdict, code, response } = result;
  if (c.run(sql, durationMs, phase, verdict, code, response, attemptId) === 0) return;
  for (const recipient of result.recipients) writeVerdict(c, outboxId, recipient);
  settleEntry(c, outboxId, result);
}

function writeVerdict(c: Connection, outboxId: number, recipient: RecipientResult): void {
  const sql = `UPDATE email_outbox_recipients SET verdict = ?, code = ?, response = ?, next_attempt_at = ?
    WHERE outbox_id = ? AND address = ?`;
  const { verdict, code, response, nextAttemptAt, address } = recipient;
  c.run(sql, verdict, code, response, nextAttemptAt, outboxId, address);
}
