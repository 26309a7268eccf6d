/** Who is looking, and which accounts people and applications changed: what the engine asks several times a second. */
import type { Instant } from '../../base/clock.ts';
import type { Connection } from './connection.ts';

export function presenceSince(c: Connection, at: Instant): Map<string, Instant> {
  const sql = 'SELECT user_id, last_seen_at FROM email_presence WHERE last_seen_at > ?';
  const rows = c.all<{ user_id: string; last_seen_at: string }>(sql, at);
  return new Map(rows.map((row) => [row.user_id, row.last_seen_at]));
}

export function accountsOfUsers(c: Connection, userIds: readonly string[]): number[] {
  if (userIds.length === 0) return [];
  const sql = `SELECT acntid FROM email_accounts WHERE user_id IN (SELECT value FROM json_each(?))
    UNION SELECT acntid FROM email_account_users WHERE user_id IN (SELECT value FROM json_each(?)) ORDER BY acntid`;
  const users = JSON.stringify(userIds);
  return c.all<{ acntid: number }>(sql, users, users).map(({ acntid }) => acntid);
}

export function setPresence(c: Connection, userId: string, at: Instant): void {
  const sql = `INSERT INTO email_presence (user_id, last_seen_at) VALUES (?, ?)
    ON CONFLICT (user_id) DO UPDATE SET last_seen_at = excluded.last_seen_at`;
  c.run(sql, userId, at);
}

export function clearPresence(c: Connection, userId: string): void {
  c.run('DELETE FROM email_presence WHERE user_id = ?', userId);
}

export const hasChangedAccounts = (c: Connection): boolean =>
  c.get('SELECT 1 FROM account_news UNION ALL SELECT 1 FROM user_news LIMIT 1') !== undefined;

/** An application may touch all of 100,000 accounts at once: the answer is one message to another thread. */
const takenCountMax = 5_000;

export function takeChangedAccounts(c: Connection): number[] {
  const users = c.all<{ user_id: string }>('SELECT user_id FROM user_news LIMIT ?', takenCountMax);
  const userIds = users.map(({ user_id }) => user_id);
  const news = c.all<{ acntid: number }>('SELECT acntid FROM account_news ORDER BY acntid LIMIT ?', takenCountMax);
  const acntids = news.map(({ acntid }) => acntid);
  c.run('DELETE FROM user_news WHERE user_id IN (SELECT value FROM json_each(?))', JSON.stringify(userIds));
  c.run('DELETE FROM account_news WHERE acntid <= ?', acntids.at(-1) ?? 0);
  return [...new Set([...acntids, ...accountsOfUsers(c, userIds)])];
}
