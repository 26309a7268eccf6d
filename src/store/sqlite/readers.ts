/** Who reads an account beside the user that owns it. Applications write the table, too. */
import type { Connection } from './connection.ts';

export function readers(c: Connection): Map<number, readonly string[]> {
  const rows = c.all<{ acntid: number; user_id: string }>(
    'SELECT acntid, user_id FROM email_account_users ORDER BY 1, 2',
  );
  const users = new Map<number, string[]>();
  for (const { acntid, user_id } of rows) users.set(acntid, [...(users.get(acntid) ?? []), user_id]);
  return users;
}

/** Part of the transaction that makes or changes the account. */
export function setReaders(c: Connection, acntid: number, userIds: readonly string[]): void {
  c.run('DELETE FROM email_account_users WHERE acntid = ?', acntid);
  for (const userId of new Set(userIds))
    c.run('INSERT INTO email_account_users (acntid, user_id) VALUES (?, ?)', acntid, userId);
}
