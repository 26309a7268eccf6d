/** Contents: the bytes of a message, stored once for the whole store under their SHA-256, with its header fields. */
import type { Address, IncomingMessage } from '../store.ts';
import type { Connection } from './connection.ts';

/** No RETURNING, no ON CONFLICT: SQLite would copy every page it changes first, which made a row ten times as dear. */
const insertSql = `INSERT INTO email_contents (sha256, message_id_header, in_reply_to, references_header, subject,
  from_addresses, to_addresses, cc_addresses, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Returns the content's id, whether it was here already or not. */
export function storeContent(c: Connection, message: IncomingMessage): number {
  const known = c.get<{ id: number }>('SELECT id FROM email_contents WHERE sha256 = ?', message.sha256);
  if (known) return known.id;
  const { messageIdHeader, inReplyTo, references, subject, from, to, cc, sentAt } = message.headers;
  const id = c.insert(
    insertSql,
    message.sha256,
    messageIdHeader,
    inReplyTo,
    references,
    subject,
    addressJson(from),
    addressJson(to),
    addressJson(cc),
    writableInstant(sentAt),
  );
  c.insert('INSERT INTO email_raw (content_id, raw) VALUES (?, ?)', id, message.raw);
  return id;
}

const addressJson = (addresses: readonly Address[]): string =>
  addresses.length === 0 ? '[]' : JSON.stringify(addresses.map(({ name, address }) => ({ name, address })));

/** A date of the year 12026 is no reason to refuse a mail; the column holds four digits of year. */
export const writableInstant = (instant: string | null): string | null =>
  instant !== null && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(instant) ? instant : null;
