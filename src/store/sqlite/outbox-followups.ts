/** What is left to do on the IMAP side after sending: the Sent copy, \Answered, and the search for what is unknown. */
import type { Instant } from '../../base/clock.ts';
import type { AnsweredMessage, FollowUp, FollowUpRecord, MessagePlace } from '../outbox-entry.ts';
import type { Connection } from './connection.ts';

interface FollowUpRow extends Omit<FollowUp, 'isBegun' | 'hasDelivered' | 'wasResent' | 'recipients'> {
  isBegun: number;
  hasDelivered: number;
  wasResent: number;
  recipients: string | null;
}

const dueSql = `SELECT f.outbox_id AS outboxId, f.kind, f.tries, f.is_begun AS isBegun, o.message_id_header AS messageIdHeader,
  o.x_backproc_id AS xBackprocId, o.sent_at AS sentAt, o.in_reply_to_id AS inReplyToId, o.recipients,
  (SELECT MIN(started_at) FROM email_outbox_attempts AS a WHERE a.outbox_id = o.id) AS attemptedAt,
  o.sent_at IS NOT NULL AS hasDelivered, o.resolved IS 'resend-once' AS wasResent
  FROM outbox_followups AS f JOIN email_outbox AS o ON o.id = f.outbox_id
  WHERE f.acntid = ? AND f.due_at <= ? ORDER BY f.due_at LIMIT ?`;

export function followUps(c: Connection, acntid: number, now: Instant, limit: number): FollowUp[] {
  return c.all<FollowUpRow>(dueSql, acntid, now, limit).map((row) => ({
    ...row,
    isBegun: row.isBegun === 1,
    hasDelivered: row.hasDelivered === 1,
    wasResent: row.wasResent === 1,
    recipients: JSON.parse(row.recipients ?? '[]') as string[],
  }));
}

export function recordFollowUp(c: Connection, record: FollowUpRecord): void {
  const { outboxId, kind, nextAt, isBegun, filedAt, fileError } = record;
  if (nextAt === null) c.run('DELETE FROM outbox_followups WHERE outbox_id = ? AND kind = ?', outboxId, kind);
  else {
    const again = `UPDATE outbox_followups SET due_at = ?, tries = tries + 1, is_begun = max(is_begun, ?)
      WHERE outbox_id = ? AND kind = ?`;
    c.run(again, nextAt, Number(isBegun ?? false), outboxId, kind);
  }
  if (filedAt !== undefined) {
    const filed = 'UPDATE email_outbox SET filed_at = coalesce(filed_at, ?), file_error = NULL WHERE id = ?';
    c.run(filed, filedAt, outboxId);
  } else if (fileError !== undefined) {
    c.run('UPDATE email_outbox SET file_error = ? WHERE id = ?', fileError, outboxId);
  }
}

/** So far the waits for a server grow (outbox/file-due.ts); more would use up the tries that each has for trouble of its own. */
const postponedMax = 7;

export function postponeFollowUps(c: Connection, acntid: number, now: Instant, nextAt: Instant): void {
  const sql = `UPDATE outbox_followups SET due_at = ?, tries = max(tries, min(tries + 1, ${postponedMax}))
    WHERE acntid = ? AND due_at <= ?`;
  c.run(sql, nextAt, acntid, now);
}

export function answeredMessage(c: Connection, acntid: number, messageId: number): AnsweredMessage | undefined {
  const sql = `SELECT t.message_id_header AS messageIdHeader, t.in_reply_to AS inReplyTo, t.references_header AS "references"
    FROM email_messages AS m JOIN email_contents AS t ON t.id = m.content_id WHERE m.id = ? AND m.acntid = ?`;
  return c.get<AnsweredMessage>(sql, messageId, acntid);
}

/** The message itself first; where it has moved to, its other copies. */
export function messagePlaces(c: Connection, acntid: number, messageId: number): MessagePlace[] {
  const sql = `SELECT f.path, m.uidvalidity AS uidValidity, m.uid, m.flags FROM email_messages AS m
    JOIN email_folders AS f ON f.emfdid = m.emfdid
    WHERE m.content_id = (SELECT content_id FROM email_messages WHERE id = ?) AND m.acntid = ? AND m.vanished_at IS NULL
    AND f.retired_at IS NULL ORDER BY m.id = ? DESC, m.id`;
  return c.all<MessagePlace>(sql, messageId, acntid, messageId);
}

export function hasStoredCopy(
  c: Connection,
  acntid: number,
  messageIdHeader: string,
  paths: readonly string[],
): boolean {
  const sql = `SELECT 1 FROM email_contents AS t JOIN email_messages AS m ON m.content_id = t.id
    JOIN email_folders AS f ON f.emfdid = m.emfdid WHERE t.message_id_header = ? AND m.acntid = ?
    AND m.vanished_at IS NULL AND f.path IN (SELECT value FROM json_each(?)) LIMIT 1`;
  return c.get(sql, messageIdHeader, acntid, JSON.stringify(paths)) !== undefined;
}

export function isMessageIdShared(c: Connection, outboxId: number): boolean {
  const sql = `SELECT 1 FROM email_outbox AS own JOIN email_outbox AS other ON other.acntid = own.acntid
    AND other.message_id_header = own.message_id_header AND other.id <> own.id WHERE own.id = ? LIMIT 1`;
  return c.get(sql, outboxId) !== undefined;
}
