/** The times of accounts and folders that a schedule needs, and no other column: a page of accounts in three statements. */
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
}

interface ReaderRow {
  acntid: number;
  user_id: string;
  last_seen_at: string | null;
}

interface FolderRow {
  emfdid: number;
  acntid: number;
  priority: Priority;
  is_selectable: number;
  is_first_synced: number;
  has_pending: number;
  recent_synced_at: string | null;
  full_synced_at: string | null;
  retry_at: string | null;
}

// last_error is `code: detail`.
const selectAccounts = `SELECT a.acntid, lower(a.imap_host) || ':' || a.imap_port AS server, a.user_id, p.last_seen_at,
  a.enabled, a.state, substr(a.last_error, 1, instr(a.last_error, ':') - 1) AS failure_code, a.retry_at, a.checked_at
  FROM email_accounts AS a LEFT JOIN email_presence AS p ON p.user_id = a.user_id`;

// A checkpoint without holes is one range (base/uid-set.ts).
const selectFolders = `SELECT emfdid, acntid, priority, is_selectable, first_synced_at IS NOT NULL AS is_first_synced,
  listed_uid > 0 AND checkpoint <> CASE listed_uid WHEN 1 THEN '1' ELSE '1:' || listed_uid END AS has_pending,
  recent_synced_at, full_synced_at, retry_at FROM email_folders`;

export function accountCount(c: Connection): number {
  return c.get<{ count: number }>('SELECT COUNT(*) AS count FROM email_accounts')?.count ?? 0;
}

export function accountTimesPage(c: Connection, afterAcntid: number, limit: number): AccountTimes[] {
  const sql = `${selectAccounts} WHERE a.acntid > ? ORDER BY a.acntid LIMIT ?`;
  const rows = c.all<AccountRow>(sql, afterAcntid, limit);
  const last = rows.at(-1);
  if (!last) return [];
  const folders = foldersBetween(c, afterAcntid + 1, last.acntid);
  const readers = readersBetween(c, afterAcntid + 1, last.acntid);
  return rows.map((row) => toTimes(row, readers.get(row.acntid) ?? [], folders.get(row.acntid) ?? []));
}

export function accountTimes(c: Connection, acntid: number): AccountTimes | undefined {
  const row = c.get<AccountRow>(`${selectAccounts} WHERE a.acntid = ?`, acntid);
  if (!row) return undefined;
  const readers = readersBetween(c, acntid, acntid).get(acntid) ?? [];
  return toTimes(row, readers, foldersBetween(c, acntid, acntid).get(acntid) ?? []);
}

type User = AccountTimes['users'][number];

/** Who reads an account beside its owner. */
function readersBetween(c: Connection, first: number, last: number): Map<number, User[]> {
  const sql = `SELECT r.acntid, r.user_id, p.last_seen_at FROM email_account_users AS r
    LEFT JOIN email_presence AS p ON p.user_id = r.user_id WHERE r.acntid BETWEEN ? AND ?`;
  const byAccount = new Map<number, User[]>();
  for (const { acntid, user_id, last_seen_at } of c.all<ReaderRow>(sql, first, last))
    byAccount.set(acntid, [...(byAccount.get(acntid) ?? []), { userId: user_id, lastSeenAt: last_seen_at }]);
  return byAccount;
}

function foldersBetween(c: Connection, first: number, last: number): Map<number, FolderTimes[]> {
  const sql = `${selectFolders} WHERE acntid BETWEEN ? AND ? AND retired_at IS NULL`;
  const byAccount = new Map<number, FolderTimes[]>();
  for (const row of c.all<FolderRow>(sql, first, last)) {
    const known = byAccount.get(row.acntid);
    if (known) known.push(toFolderTimes(row));
    else byAccount.set(row.acntid, [toFolderTimes(row)]);
  }
  return byAccount;
}

const toFolderTimes = (row: FolderRow): FolderTimes => ({
  emfdid: row.emfdid,
  priority: row.priority,
  isSelectable: row.is_selectable === 1,
  isFirstSynced: row.is_first_synced === 1,
  hasPending: row.has_pending === 1,
  recentSyncedAt: row.recent_synced_at,
  fullSyncedAt: row.full_synced_at,
  retryAt: row.retry_at,
});

const toTimes = (row: AccountRow, readers: readonly User[], folders: readonly FolderTimes[]): AccountTimes => ({
  acntid: row.acntid,
  server: row.server,
  users: [
    ...(row.user_id === null ? [] : [{ userId: row.user_id, lastSeenAt: row.last_seen_at }]),
    ...readers.filter(({ userId }) => userId !== row.user_id),
  ],
  enabled: row.enabled === 1,
  state: row.state,
  failureCode: row.failure_code === '' ? null : row.failure_code,
  retryAt: row.retry_at,
  checkedAt: row.checked_at,
  folders,
});
