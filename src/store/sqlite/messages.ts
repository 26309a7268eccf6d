/** Reads of messages: for comparing with a listing, for verify, for people. All of them run on a reading connection. */
import type { Instant } from '../../base/clock.ts';
import { createTextPool } from '../../base/text-pool.ts';
import type {
  Address,
  KnownContent,
  LiveCounts,
  MessageSummary,
  StoredDigest,
  StoredIdentity,
  StoredMessage,
} from '../store.ts';
import type { Connection, SqlValue } from './connection.ts';

export function storedMessages(c: Connection, emfdid: number): StoredMessage[] {
  interface Row {
    id: number;
    uidvalidity: number;
    uid: number;
    flags: string;
    is_vanished: number;
    is_held: number;
  }
  const sql = `SELECT m.id, m.uidvalidity, m.uid, m.flags, m.vanished_at IS NOT NULL AS is_vanished, m.held_at IS NOT NULL AS is_held
    FROM email_messages AS m WHERE m.emfdid = ? AND m.vanished_at IS NULL
    UNION ALL SELECT t.id, t.uidvalidity, t.uid, t.flags, 1, 0 FROM email_folders AS f
    JOIN email_messages AS t ON t.emfdid = f.emfdid AND t.uidvalidity = f.uidvalidity
    WHERE f.emfdid = ? AND t.vanished_at IS NOT NULL ORDER BY 3, 5 DESC, 1`;
  const oneOf = createTextPool();
  const messages: StoredMessage[] = [];
  for (const row of c.each<Row>(sql, emfdid, emfdid))
    messages.push({
      id: row.id,
      uidValidity: row.uidvalidity,
      uid: row.uid,
      flags: oneOf(row.flags),
      isVanished: row.is_vanished === 1,
      isHeld: row.is_held === 1,
    });
  return messages;
}

const liveOfPresent = `FROM email_folders AS f JOIN email_messages AS m ON m.emfdid = f.emfdid
  AND m.uidvalidity = f.uidvalidity AND m.vanished_at IS NULL JOIN email_contents AS t ON t.id = m.content_id
  WHERE f.emfdid = ? ORDER BY m.uid`;

const identity = `m.id, m.uid, m.email_id AS emailId, t.message_id_header AS messageIdHeader, m.size,
  m.internaldate AS internalDate`;

export const storedIdentities = (c: Connection, emfdid: number): StoredIdentity[] =>
  c.all<StoredIdentity>(`SELECT ${identity} ${liveOfPresent}`, emfdid);

export function identitiesOf(c: Connection, emfdid: number, ids: readonly number[]): StoredIdentity[] {
  const sql = `SELECT ${identity} FROM email_messages AS m JOIN email_contents AS t ON t.id = m.content_id
    WHERE m.id IN (SELECT value FROM json_each(?)) AND m.emfdid = ? ORDER BY m.uid`;
  return c.all<StoredIdentity>(sql, JSON.stringify(ids), emfdid);
}

export function storedDigests(c: Connection, emfdid: number): StoredDigest[] {
  const sql = `SELECT m.uid, m.flags, t.sha256, m.held_at IS NOT NULL AS held ${liveOfPresent}`;
  const rows = c.all<{ uid: number; flags: string; sha256: string; held: number }>(sql, emfdid);
  return rows.map(({ uid, flags, sha256, held }) => ({ uid, flags, sha256, isHeld: held === 1 }));
}

/** Counts over partial indexes; no row is read but those of a former UIDVALIDITY. */
export function liveCounts(c: Connection, emfdid: number): LiveCounts {
  const former = (side: '<' | '>'): string => `SELECT COUNT(*) FROM email_folders AS f JOIN email_messages AS m
    ON m.emfdid = f.emfdid AND m.uidvalidity ${side} f.uidvalidity WHERE f.emfdid = ? AND m.vanished_at IS NULL AND m.held_at IS NULL`;
  const sql = `SELECT
    (SELECT COUNT(*) FROM email_messages WHERE emfdid = ? AND vanished_at IS NULL) AS live,
    (SELECT COUNT(*) FROM email_messages WHERE emfdid = ? AND held_at IS NOT NULL) AS held,
    (${former('<')}) + (${former('>')}) AS former,
    (SELECT COUNT(*) FROM email_messages WHERE emfdid = ? AND vanished_at IS NULL AND instr(lower(flags), '\\seen') = 0) AS unseen`;
  const counts = c.get<LiveCounts>(sql, emfdid, emfdid, emfdid, emfdid, emfdid);
  return counts ?? { live: 0, held: 0, former: 0, unseen: 0 };
}

export function contentsByEmailId(
  c: Connection,
  acntid: number,
  emailIds: readonly string[],
): Map<string, KnownContent> {
  const sql = `SELECT email_id, content_id, size FROM email_messages
    WHERE acntid = ? AND email_id IN (SELECT value FROM json_each(?)) ORDER BY id`;
  const rows = c.all<{ email_id: string; content_id: number; size: number }>(sql, acntid, JSON.stringify(emailIds));
  return new Map(rows.map((row) => [row.email_id, { contentId: row.content_id, size: row.size }]));
}

export function idsFoundElsewhere(c: Connection, emfdid: number, ids: readonly number[]): number[] {
  const sql = `SELECT m.id FROM email_messages AS m
    WHERE m.id IN (SELECT value FROM json_each(?)) AND m.emfdid = ? AND EXISTS (
      SELECT 1 FROM email_messages AS other WHERE other.content_id = m.content_id AND other.acntid = m.acntid
      AND other.emfdid <> m.emfdid AND other.vanished_at IS NULL) ORDER BY m.id`;
  return c.all<{ id: number }>(sql, JSON.stringify(ids), emfdid).map(({ id }) => id);
}

export function messages(
  c: Connection,
  filter: { acntid?: number; emfdid?: number; limit: number; beforeId?: number },
): MessageSummary[] {
  const wishes: [string, SqlValue | undefined][] = [
    ['m.acntid = ?', filter.acntid],
    ['m.emfdid = ?', filter.emfdid],
    ['m.id < ?', filter.beforeId],
  ];
  const given = wishes.filter((wish): wish is [string, SqlValue] => wish[1] !== undefined);
  const sql = `SELECT m.id, m.acntid, m.emfdid, m.uid, m.flags, m.internaldate AS internalDate, m.size, t.subject,
    t.from_addresses FROM email_messages AS m JOIN email_contents AS t ON t.id = m.content_id
    WHERE ${['m.vanished_at IS NULL', ...given.map(([condition]) => condition)].join(' AND ')} ORDER BY m.id DESC LIMIT ?`;
  const rows = c.all<Omit<MessageSummary, 'from'> & { from_addresses: string }>(
    sql,
    ...given.map(([, value]) => value),
    filter.limit,
  );
  return rows.map(({ from_addresses, ...row }) => ({ ...row, from: JSON.parse(from_addresses) as Address[] }));
}

export function raw(c: Connection, messageId: number): Uint8Array | undefined {
  const sql = 'SELECT raw FROM email_raw WHERE content_id = (SELECT content_id FROM email_messages WHERE id = ?)';
  return c.get<{ raw: Uint8Array }>(sql, messageId)?.raw;
}

export function presence(c: Connection): Map<string, Instant> {
  const rows = c.all<{ user_id: string; last_seen_at: string }>('SELECT user_id, last_seen_at FROM email_presence');
  return new Map(rows.map((row) => [row.user_id, row.last_seen_at]));
}
