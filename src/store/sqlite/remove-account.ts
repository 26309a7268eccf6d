/** Removes an account with all that is its own; a content that another account's message shares stays. One transaction. */
import { systemClock, toInstant } from '../../base/clock.ts';
import type { AccountSize } from '../store.ts';
import { requireAccount } from './account-row.ts';
import { noteChange } from './changes.ts';
import type { Connection } from './connection.ts';

export function accountSize(c: Connection, acntid: number): AccountSize {
  const count = (sql: string): number => c.get<{ count: number }>(sql, acntid)?.count ?? 0;
  return {
    folders: count('SELECT COUNT(*) AS count FROM email_folders WHERE acntid = ? AND retired_at IS NULL'),
    messages: count('SELECT COUNT(*) AS count FROM email_messages WHERE acntid = ? AND vanished_at IS NULL'),
    outboxEntries: count('SELECT COUNT(*) AS count FROM email_outbox WHERE acntid = ?'),
  };
}

/** Children before parents. Recipients and attempts of outbox entries go with them (ON DELETE CASCADE). */
const deletions = [
  'DELETE FROM email_messages WHERE acntid = ?',
  'DELETE FROM email_quarantine WHERE emfdid IN (SELECT emfdid FROM email_folders WHERE acntid = ?)',
  'DELETE FROM email_folders WHERE acntid = ?',
  'DELETE FROM email_actions WHERE acntid = ?',
  'DELETE FROM email_outbox WHERE acntid = ?',
  'DELETE FROM email_accounts WHERE acntid = ?',
];

export function removeAccount(c: Connection, acntid: number): AccountSize {
  requireAccount(c, acntid);
  const size = accountSize(c, acntid);
  const contents = ownContents(c, acntid);
  for (const sql of deletions) c.run(sql, acntid);
  for (const id of contents) c.run('DELETE FROM email_contents WHERE id = ?', id);
  noteChange(c, 'account_removed', { acntid, emfdid: null, at: toInstant(systemClock()) });
  return size;
}

function ownContents(c: Connection, acntid: number): number[] {
  const sql = `SELECT DISTINCT content_id FROM email_messages AS own WHERE own.acntid = ? AND NOT EXISTS
    (SELECT 1 FROM email_messages AS other WHERE other.content_id = own.content_id AND other.acntid <> ?)`;
  return c.all<{ content_id: number }>(sql, acntid, acntid).map((row) => row.content_id);
}
