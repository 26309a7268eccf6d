/**
 * Removes an account with all that is its own; a content that another account's message shares stays. In steps, each a
 * transaction, because a large mailbox takes minutes, and every other write would wait for it. The first disables the account and
 * takes its folders, so that no pass stores any more; then its mail goes, then its outbox, and with the last step the account
 * itself. `account_removals` says which removals have begun: after a crash whoever comes next goes on.
 */
import { systemClock, toInstant } from '../../base/clock.ts';
import type { AccountSize } from '../store.ts';
import type { RemovalStep } from '../upkeep.ts';
import { requireAccount } from './account-row.ts';
import { forEachInTime, type Part, stepRowsMax, stepTime } from './bounded-step.ts';
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

export function removeAccount(c: Connection, acntid: number): AccountSize {
  requireAccount(c, acntid);
  const size = accountSize(c, acntid);
  const told = `being removed: \`backproc account remove ${acntid}\` goes on where it was interrupted`;
  c.run("UPDATE email_accounts SET enabled = 0, state = 'ok', last_error = ? WHERE acntid = ?", told, acntid);
  c.run('INSERT OR IGNORE INTO account_removals (acntid) VALUES (?)', acntid);
  for (const sql of few) c.run(sql, acntid);
  return size;
}

/** What there are few of; children before parents. */
const few = [
  'DELETE FROM email_quarantine WHERE emfdid IN (SELECT emfdid FROM email_folders WHERE acntid = ?)',
  'DELETE FROM email_folders WHERE acntid = ?',
  'DELETE FROM email_actions WHERE acntid = ?',
];

export const isBeingRemoved = (c: Connection, acntid: number): boolean =>
  c.get('SELECT 1 FROM account_removals WHERE acntid = ?', acntid) !== undefined;

export function clearRemoved(c: Connection): RemovalStep {
  const acntid = c.get<{ acntid: number | null }>('SELECT MIN(acntid) AS acntid FROM account_removals')?.acntid ?? null;
  if (acntid === null) return { messageCount: 0, isDone: true };
  const hasTime = stepTime();
  const messages = clearMessages(c, acntid, hasTime);
  if (messages.isDone && hasTime() && clearOutbox(c, acntid, hasTime).isDone) endRemoval(c, acntid);
  return { messageCount: messages.count, isDone: false };
}

function clearMessages(c: Connection, acntid: number, hasTime: () => boolean): Part {
  const sql = 'SELECT id, content_id AS contentId FROM email_messages WHERE acntid = ? LIMIT ?';
  const rows = c.all<{ id: number; contentId: number }>(sql, acntid, stepRowsMax);
  return forEachInTime(rows, hasTime, ({ id, contentId }) => {
    c.run('DELETE FROM email_messages WHERE id = ?', id);
    c.run(
      'DELETE FROM email_contents WHERE id = ? AND NOT EXISTS (SELECT 1 FROM email_messages WHERE content_id = ?)',
      contentId,
      contentId,
    );
  });
}

/** Recipients and attempts go with their entry (ON DELETE CASCADE). */
function clearOutbox(c: Connection, acntid: number, hasTime: () => boolean): Part {
  const rows = c.all<{ id: number }>('SELECT id FROM email_outbox WHERE acntid = ? LIMIT ?', acntid, stepRowsMax);
  return forEachInTime(rows, hasTime, ({ id }) => c.run('DELETE FROM email_outbox WHERE id = ?', id));
}

function endRemoval(c: Connection, acntid: number): void {
  for (const sql of few) c.run(sql, acntid);
  c.run('DELETE FROM email_accounts WHERE acntid = ?', acntid);
  noteChange(c, 'account_removed', { acntid, emfdid: null, at: toInstant(systemClock()) });
}
