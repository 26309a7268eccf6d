/** Stored mail that an outbox entry attaches, wholly or in part: only the account's own, and live. */
import type { MailKey, StoredPart } from '../outbox-entry.ts';
import type { Connection } from './connection.ts';

const columnOf = (by: MailKey): string => (by === 'content_id' ? 'm.content_id' : 'm.id');

export function storedMail(c: Connection, acntid: number, by: MailKey, id: number): Uint8Array | undefined {
  const sql = `SELECT r.raw FROM email_messages AS m JOIN email_raw AS r ON r.content_id = m.content_id
    WHERE ${columnOf(by)} = ? AND m.acntid = ? AND m.vanished_at IS NULL LIMIT 1`;
  return c.get<{ raw: Uint8Array }>(sql, id, acntid)?.raw;
}

export function storedPart(
  c: Connection,
  acntid: number,
  by: MailKey,
  id: number,
  part: string,
): StoredPart | undefined {
  const sql = `SELECT a.filename, a.content_type AS contentType FROM email_messages AS m
    JOIN email_attachments AS a ON a.content_id = m.content_id AND a.part = ?
    WHERE ${columnOf(by)} = ? AND m.acntid = ? AND m.vanished_at IS NULL LIMIT 1`;
  return c.get<StoredPart>(sql, part, id, acntid);
}
