/**
 * Puts messages into conversations by the keys of conversation-rule.ts. conversation_keys says where a key was first seen; when
 * conversations turn out to be one, the younger becomes part of the older (conversation_merges) and its keys stay as they are.
 * A conversation is called by the id of the message that founded it. Indexed look-ups only, a handful a message.
 */
import { createHash } from 'node:crypto';
import { conversationKeys } from '../conversation-rule.ts';
import type { Address } from '../store.ts';
import type { Connection } from './connection.ts';

interface UnthreadedRow {
  id: number;
  acntid: number;
  content_id: number;
  email: string;
  message_id_header: string | null;
  in_reply_to: string | null;
  references_header: string | null;
  subject: string | null;
  from_addresses: string;
  to_addresses: string;
  sent_at: string | null;
}

/** Only the first id of References counts. */
const unthreadedSql = `SELECT m.id, m.acntid, m.content_id, a.email, t.message_id_header, t.in_reply_to,
  substr(t.references_header, 1, 2000) AS references_header, t.subject, t.from_addresses, t.to_addresses, t.sent_at
  FROM email_messages AS m INDEXED BY email_messages_unthreaded
  JOIN email_accounts AS a ON a.acntid = m.acntid JOIN email_contents AS t ON t.id = m.content_id
  WHERE m.conversation_id IS NULL ORDER BY m.acntid, m.id LIMIT ?`;

export function threadMessages(c: Connection, countMax: number): number {
  const rows = c.all<UnthreadedRow>(unthreadedSql, countMax);
  for (const row of rows) threadMessage(c, row);
  return rows.length;
}

function threadMessage(c: Connection, row: UnthreadedRow): void {
  const { shared, originals, answers } = keysOf(row);
  const places = (kind: KeyKind, keys: readonly string[]): Place[] =>
    keys.map((key) => placeOf(c, row.acntid, kind, key));
  const own = [...places('s', shared), ...places('a', answers)];
  const offered = places('o', originals);
  const met = [...own, ...places('o', answers), ...places('a', originals)].flatMap(
    ({ conversations }) => conversations,
  );
  const conversation = join(c, row, shared.length === 0 ? [...met, ...sameContent(c, row)] : met);
  for (const place of [...own, ...offered]) registerKey(c, row.acntid, place, conversation);
  c.run('UPDATE email_messages SET conversation_id = ? WHERE id = ?', conversation, row.id);
}

function keysOf(row: UnthreadedRow): ReturnType<typeof conversationKeys> {
  const addresses = (json: string): string[] => (JSON.parse(json) as Address[]).map(({ address }) => address);
  const header = {
    messageIdHeader: row.message_id_header,
    inReplyTo: row.in_reply_to,
    references: row.references_header,
    subject: row.subject,
    from: addresses(row.from_addresses),
    to: addresses(row.to_addresses),
    sentAt: row.sent_at,
  };
  return conversationKeys(header, row.email);
}

/** s: shared by all · o: what may be answered · a: what was answered, by a reply without references. */
type KeyKind = 's' | 'o' | 'a';

interface Place {
  readonly kind: KeyKind;
  readonly hash: Buffer;
  readonly conversations: readonly number[];
}

/** 80 bits: nobody finds a second header field with the same ones. */
const hashBytes = 10;
/** A key belongs to one conversation, but for `o`: what a robot writes under one subject in a week. */
const conversationsPerKeyMax = 64;

function placeOf(c: Connection, acntid: number, kind: KeyKind, key: string): Place {
  const hash = createHash('sha256').update(kind).update(key).digest().subarray(0, hashBytes);
  const sql = `SELECT conversation_id FROM conversation_keys WHERE acntid = ? AND key = ?
    ORDER BY conversation_id LIMIT ${conversationsPerKeyMax}`;
  const rows = c.all<{ conversation_id: number }>(sql, acntid, hash);
  return { kind, hash, conversations: rows.map((row) => presentId(c, acntid, row.conversation_id)) };
}

/** Follows merges; ends, because each leads to an older one. */
function presentId(c: Connection, acntid: number, id: number): number {
  const sql = 'SELECT merged_into FROM conversation_merges WHERE acntid = ? AND conversation_id = ?';
  const merged = c.get<{ merged_into: number }>(sql, acntid, id);
  return merged ? presentId(c, acntid, merged.merged_into) : id;
}

/** A copy in another folder, of a message that has no Message-ID to know it by. */
function sameContent(c: Connection, { acntid, content_id }: UnthreadedRow): number[] {
  const sql = `SELECT conversation_id FROM email_messages
    WHERE content_id = ? AND +acntid = ? AND conversation_id IS NOT NULL LIMIT 1`;
  return c.all<{ conversation_id: number }>(sql, content_id, acntid).map((row) => row.conversation_id);
}

/** The oldest of those found; the others become part of it. None: the message founds one. */
function join(c: Connection, { id, acntid }: UnthreadedRow, found: readonly number[]): number {
  const [oldest, ...younger] = [...new Set(found)].sort((a, b) => a - b);
  if (oldest === undefined) return id;
  for (const other of younger) {
    c.run('UPDATE email_messages SET conversation_id = ? WHERE conversation_id = ?', oldest, other);
    const sql = 'INSERT INTO conversation_merges (acntid, conversation_id, merged_into) VALUES (?, ?, ?)';
    c.run(sql, acntid, other, oldest);
  }
  return oldest;
}

function registerKey(c: Connection, acntid: number, place: Place, conversation: number): void {
  const isKnown = place.kind === 'o' ? place.conversations.includes(conversation) : place.conversations.length > 0;
  if (isKnown) return;
  c.run(
    'INSERT INTO conversation_keys (acntid, key, conversation_id) VALUES (?, ?, ?)',
    acntid,
    place.hash,
    conversation,
  );
}

/** The whole account at once: what arrives in between would found conversations under ids that are still in use. */
export function forgetConversations(c: Connection, acntid: number): number {
  for (const table of ['conversation_keys', 'conversation_merges'])
    c.run(`DELETE FROM ${table} WHERE acntid = ?`, acntid);
  const sql = 'UPDATE email_messages SET conversation_id = NULL WHERE acntid = ? AND conversation_id IS NOT NULL';
  return c.run(sql, acntid);
}
