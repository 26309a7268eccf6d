/**
 * The times of accounts and folders that a schedule needs, and no other column. An account's folders and its readers come as
 * JSON texts: handing over a value costs more than reading its row, and 100,000 accounts have two million folders (bench/schedule.ts).
 */
import type { AccountTimes, FolderTimes } from '../schedule.ts';
import type { AccountState, Priority } from '../store.ts';
import type { Connection } from './connection.ts';

interface AccountRow {
  acntid: number;
  server: string;
  user_id: string | null;
  last_seen_at: string | null;
  enabled: number;
  state: AccountState;
  failure_code: string | null;
  retry_at: string | null;
  checked_at: string | null;
  /** Who reads it beside its owner: [user_id, last_seen_at]. */
  readers: string;
  folders: string;
}

/** In the order of `folders` below. */
type FolderRow = readonly [
  emfdid: number,
  priority: Priority,
  isSelectable: number,
  isFirstSynced: number,
  hasPending: number,
  recentSyncedAt: string | null,
  fullSyncedAt: string | null,
  retryAt: string | null,
];

// A checkpoint without holes is one range (base/uid-set.ts).
const folders = `SELECT json_group_array(json_array(f.emfdid, f.priority, f.is_selectable, f.first_synced_at IS NOT NULL,
  f.listed_uid > 0 AND f.checkpoint <> CASE f.listed_uid WHEN 1 THEN '1' ELSE '1:' || f.listed_uid END,
  f.recent_synced_at, f.full_synced_at, f.retry_at))
  FROM email_folders AS f WHERE f.acntid = a.acntid AND f.retired_at IS NULL`;

const readers = `SELECT json_group_array(json_array(r.user_id, seen.last_seen_at)) FROM email_account_users AS r
  LEFT JOIN email_presence AS seen ON seen.user_id = r.user_id WHERE r.acntid = a.acntid`;

// last_error is `code: detail`.
const select = `SELECT a.acntid, lower(a.imap_host) || ':' || a.imap_port AS server, a.user_id, p.last_seen_at, a.enabled,
  a.state, substr(a.last_error, 1, instr(a.last_error, ':') - 1) AS failure_code, a.retry_at, a.checked_at,
  (${readers}) AS readers, (${folders}) AS folders FROM email_accounts AS a LEFT JOIN email_presence AS p ON p.user_id = a.user_id`;

export function accountCount(c: Connection): number {
  return c.get<{ count: number }>('SELECT COUNT(*) AS count FROM email_accounts')?.count ?? 0;
}

export function accountTimesPage(c: Connection, afterAcntid: number, limit: number): AccountTimes[] {
  const sql = `${select} WHERE a.acntid > ? ORDER BY a.acntid LIMIT ?`;
  return c.all<AccountRow>(sql, afterAcntid, limit).map(toTimes);
}

export function accountTimes(c: Connection, acntid: number): AccountTimes | undefined {
  const row = c.get<AccountRow>(`${select} WHERE a.acntid = ?`, acntid);
  return row && toTimes(row);
}

const toTimes = (row: AccountRow): AccountTimes => ({
  acntid: row.acntid,
  server: row.server,
  users: usersOf(row),
  enabled: row.enabled === 1,
  state: row.state,
  failureCode: row.failure_code === '' ? null : row.failure_code,
  retryAt: row.retry_at,
  checkedAt: row.checked_at,
  folders: (JSON.parse(row.folders) as FolderRow[]).map(toFolderTimes),
});

/** The owner, then further readers. */
function usersOf({ user_id, last_seen_at, readers }: AccountRow): AccountTimes['users'] {
  const owner = user_id === null ? [] : [{ userId: user_id, lastSeenAt: last_seen_at }];
  if (readers === '[]') return owner;
  const others = (JSON.parse(readers) as [string, string | null][]).filter(([userId]) => userId !== user_id);
  return [...owner, ...others.map(([userId, lastSeenAt]) => ({ userId, lastSeenAt }))];
}

function toFolderTimes(row: FolderRow): FolderTimes {
  const [emfdid, priority, isSelectable, isFirstSynced, hasPending, recentSyncedAt, fullSyncedAt, retryAt] = row;
  return {
    emfdid,
    priority,
    isSelectable: isSelectable === 1,
    isFirstSynced: isFirstSynced === 1,
    hasPending: hasPending === 1,
    recentSyncedAt,
    fullSyncedAt,
    retryAt,
  };
}
