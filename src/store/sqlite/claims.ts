/**
 * Claims on contents that are to be read. A row in reading_claims is a try that has begun and not ended; it is committed before
 * the try. Abandoned ones, of an engine that was fenced or of a thread that is gone, come first and alone; after the second the
 * content counts as unreadable by this reader.
 */
import type { Instant } from '../../base/clock.ts';
import type { ReadClaim, UnreadContent } from '../reading.ts';
import type { Address } from '../store.ts';
import type { Connection } from './connection.ts';

/** Tries that may end without a result: the first with others, the second alone. */
const triesMax = 2;
/** Contents freed for a newer reader, and tries given up, in one claim: what is more waits for the next. */
const rowsAtOnce = 200;

export function claimUnread(c: Connection, claim: ReadClaim): UnreadContent[] {
  freeForNewerReader(c, claim.readerVersion);
  giveUp(c, claim);
  const abandoned = c.get<{ content_id: number }>(
    `SELECT content_id FROM reading_claims WHERE ${isAbandoned} LIMIT 1`,
    ...abandonedBy(c, claim),
  );
  if (abandoned) return takeAgain(c, abandoned.content_id, claim.at);
  const chosen = withinBytes(freshContents(c, claim.countMax), claim.bytesMax);
  const sql = 'INSERT INTO reading_claims (content_id, epoch, tries, claimed_at) VALUES (?, ?, 1, ?)';
  for (const { contentId } of chosen) c.run(sql, contentId, c.epoch ?? 0, claim.at);
  return chosen;
}

function freeForNewerReader(c: Connection, readerVersion: number): void {
  const failed = `SELECT id FROM email_contents INDEXED BY email_contents_failed
    WHERE parse_state = 'failed' AND reader_version < ? LIMIT ${rowsAtOnce}`;
  for (const { id } of c.all<{ id: number }>(failed, readerVersion)) {
    c.run("UPDATE email_contents SET parse_state = 'pending', parse_note = NULL WHERE id = ?", id);
  }
}

/** A claim from the future was made before the clock was set back: nobody can tell how old it is. */
const isAbandoned = '(epoch <> ? OR claimed_at <= ? OR claimed_at > ?)';
const abandonedBy = (c: Connection, { at, leaseMs }: ReadClaim): [number, Instant, Instant] => [
  c.epoch ?? 0,
  new Date(Date.parse(at) - leaseMs).toISOString(),
  at,
];

function giveUp(c: Connection, claim: ReadClaim): void {
  const spent = `SELECT content_id FROM reading_claims WHERE tries >= ${triesMax} AND ${isAbandoned} LIMIT ${rowsAtOnce}`;
  for (const { content_id } of c.all<{ content_id: number }>(spent, ...abandonedBy(c, claim))) {
    const reason = `reading was begun ${triesMax} times and ended neither time`;
    recordFailure(c, content_id, reason, claim.readerVersion);
  }
}

/** The end of a claim, too. Nothing changes when the content was read meanwhile. */
export function recordFailure(c: Connection, contentId: number, reason: string, readerVersion: number): boolean {
  const sql = `UPDATE email_contents SET parse_state = 'failed', parse_note = ?, reader_version = ?
    WHERE id = ? AND parse_state = 'pending'`;
  endClaim(c, contentId);
  return c.run(sql, reason, readerVersion, contentId) > 0;
}

export function endClaim(c: Connection, contentId: number): void {
  c.run('DELETE FROM reading_claims WHERE content_id = ?', contentId);
}

function takeAgain(c: Connection, contentId: number, at: Instant): UnreadContent[] {
  const sql = 'UPDATE reading_claims SET tries = tries + 1, epoch = ?, claimed_at = ? WHERE content_id = ?';
  c.run(sql, c.epoch ?? 0, at, contentId);
  return c.all<UnreadRow>(`${unreadSql} WHERE t.id = ?`, contentId).map(toUnread);
}

interface UnreadRow {
  id: number;
  bytes: number;
  subject: string | null;
  from_addresses: string;
  to_addresses: string;
  cc_addresses: string;
}

/** length() of a BLOB reads its header only. */
const unreadSql = `SELECT t.id, COALESCE((SELECT length(raw) FROM email_raw WHERE content_id = t.id), 0) AS bytes, t.subject,
  t.from_addresses, t.to_addresses, t.cc_addresses FROM email_contents AS t`;

function freshContents(c: Connection, countMax: number): UnreadContent[] {
  const sql = `${unreadSql} INDEXED BY email_contents_pending WHERE t.parse_state = 'pending'
    AND NOT EXISTS (SELECT 1 FROM reading_claims AS r WHERE r.content_id = t.id) ORDER BY t.sent_at DESC LIMIT ?`;
  return c.all<UnreadRow>(sql, countMax).map(toUnread);
}

const toUnread = (row: UnreadRow): UnreadContent => ({
  contentId: row.id,
  bytes: row.bytes,
  subject: row.subject,
  from: JSON.parse(row.from_addresses) as Address[],
  to: JSON.parse(row.to_addresses) as Address[],
  cc: JSON.parse(row.cc_addresses) as Address[],
});

/** As many from the front as fit, at least one. */
function withinBytes(contents: readonly UnreadContent[], bytesMax: number): UnreadContent[] {
  let bytes = 0;
  return contents.filter((content, index) => {
    bytes += content.bytes;
    return index === 0 || bytes <= bytesMax;
  });
}

/** Claims that were not begun are as if they had not been; a second try stays the next to be made. */
export function releaseUnread(c: Connection, contentIds: readonly number[]): void {
  for (const id of contentIds) {
    c.run('UPDATE reading_claims SET tries = tries - 1, epoch = -1 WHERE content_id = ?', id);
    c.run('DELETE FROM reading_claims WHERE content_id = ? AND tries <= 0', id);
  }
}

export function hasUnread(c: Connection, readerVersion: number): boolean {
  const sql = `SELECT
    EXISTS (SELECT 1 FROM email_contents INDEXED BY email_contents_pending WHERE parse_state = 'pending')
    OR EXISTS (SELECT 1 FROM email_messages INDEXED BY email_messages_unthreaded WHERE conversation_id IS NULL)
    OR EXISTS (SELECT 1 FROM email_contents INDEXED BY email_contents_failed WHERE parse_state = 'failed' AND reader_version < ?)
    AS found`;
  return c.get<{ found: number }>(sql, readerVersion)?.found === 1;
}

export function unreadCount(c: Connection): number {
  const sql = `SELECT COUNT(*) AS count FROM email_contents INDEXED BY email_contents_pending WHERE parse_state = 'pending'`;
  return c.get<{ count: number }>(sql)?.count ?? 0;
}
