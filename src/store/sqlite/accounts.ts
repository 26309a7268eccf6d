/** Verbs of accounts: making, changing, health, passwords. Removal, which reaches into every table, is in remove-account.ts. */
import { EngineError } from '../../base/errors.ts';
import type { AccountChanges, AccountHealth, NewAccount, ServerAddress } from '../store.ts';
import { freeAccount, requireAccount } from './account-row.ts';
import type { Connection, SqlValue } from './connection.ts';
import { isUniqueFailure } from './failure.ts';
import { changeLogin } from './logins.ts';
import { setReaders } from './readers.ts';
import { isBeingRemoved } from './remove-account.ts';
import { placeOf } from './sealed.ts';

export function addAccount(c: Connection, account: NewAccount): number {
  const columns = { acntid: account.acntid ?? null, ...columnsOf(account) };
  const acntid = refuseDouble(account, () => insertRow(c, columns));
  if (account.password !== null) storePassword(c, acntid, account.password);
  if (account.login) changeLogin(c, acntid, account.login);
  if (account.readers) setReaders(c, acntid, account.readers);
  return acntid;
}

export function updateAccount(c: Connection, acntid: number, changes: AccountChanges): void {
  requireAccount(c, acntid);
  if (isBeingRemoved(c, acntid)) throw new EngineError('account_unknown', `account ${acntid} is being removed`);
  const columns = columnsOf(changes);
  const names = Object.keys(columns);
  if (names.length > 0) {
    const sql = `UPDATE email_accounts SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE acntid = ?`;
    refuseDouble(changes, () => c.run(sql, ...Object.values(columns), acntid));
  }
  if (changes.password !== undefined) storePassword(c, acntid, changes.password);
  if (changes.login) changeLogin(c, acntid, changes.login);
  if (changes.readers) setReaders(c, acntid, changes.readers);
  if (changes.imap || changes.smtp !== undefined) freeAccount(c, acntid);
  // Another server's VANISHED has yet to earn its trust.
  if (changes.imap) c.run('UPDATE email_accounts SET vanished_trust = 0 WHERE acntid = ?', acntid);
}

/** Reading goes well, but the server for sending refuses the login: that stays to be seen. */
export function recordHealth(c: Connection, acntid: number, health: AccountHealth): void {
  // A pass that was under way when the removal began: what is said of that stays.
  if (isBeingRemoved(c, acntid)) return;
  const sql = `UPDATE email_accounts SET state = CASE WHEN ? = 'ok' AND smtp_state = 'auth_error' THEN smtp_state ELSE ? END,
    last_error = CASE WHEN ? = 'ok' AND smtp_state = 'auth_error' THEN smtp_last_error ELSE ? END, retry_at = ?,
    checked_at = ?, failure_count = ? WHERE acntid = ?`;
  const { state, lastError, retryAt, checkedAt, failureCount } = health;
  c.run(sql, state, state, state, lastError, retryAt, checkedAt, failureCount, acntid);
}

export function recordVanishedTrust(c: Connection, acntid: number, trust: number): void {
  c.run('UPDATE email_accounts SET vanished_trust = ? WHERE acntid = ?', trust, acntid);
}

export function password(c: Connection, acntid: number): string | undefined {
  const sql = 'SELECT password_sealed FROM email_accounts WHERE acntid = ?';
  const sealed = c.get<{ password_sealed: Uint8Array | null }>(sql, acntid)?.password_sealed;
  return sealed ? c.secrets.unseal(placeOf(acntid, 'password'), sealed) : undefined;
}

/** Asked before takeNewPasswords, so that a tick without news takes no write lock. */
export function hasNewPasswords(c: Connection): boolean {
  return c.get('SELECT 1 FROM email_accounts WHERE new_password IS NOT NULL LIMIT 1') !== undefined;
}

export function takeNewPasswords(c: Connection): number[] {
  const sql = 'SELECT acntid, new_password FROM email_accounts WHERE new_password IS NOT NULL ORDER BY acntid';
  const rows = c.all<{ acntid: number; new_password: string }>(sql);
  // An empty one is no password: blanked, and the old one stays.
  const taken = rows.filter((row) => row.new_password !== '');
  for (const row of taken) storePassword(c, row.acntid, String(row.new_password));
  for (const row of rows) c.run('UPDATE email_accounts SET new_password = NULL WHERE acntid = ?', row.acntid);
  return taken.map((row) => row.acntid);
}

function storePassword(c: Connection, acntid: number, text: string | null): void {
  const sealed = text === null ? null : c.secrets.seal(placeOf(acntid, 'password'), text);
  c.run('UPDATE email_accounts SET password_sealed = ? WHERE acntid = ?', sealed, acntid);
  freeAccount(c, acntid);
}

function insertRow(c: Connection, columns: Record<string, SqlValue>): number {
  const names = Object.keys(columns);
  const marks = names.map(() => '?').join(', ');
  return c.insert(`INSERT INTO email_accounts (${names.join(', ')}) VALUES (${marks})`, ...Object.values(columns));
}

/** Only what was given: an absent property leaves its column alone. */
function columnsOf(given: AccountChanges): Record<string, SqlValue> {
  const { email, userId, name, imap, smtp, allowPlaintext, enabled } = given;
  return {
    ...(email !== undefined && { email }),
    ...(userId !== undefined && { user_id: userId }),
    ...(name !== undefined && { name }),
    ...(imap !== undefined && serverColumns('imap', imap)),
    ...(smtp !== undefined && serverColumns('smtp', smtp)),
    ...(allowPlaintext !== undefined && { allow_plaintext: Number(allowPlaintext) }),
    ...(enabled !== undefined && { enabled: Number(enabled) }),
  };
}

function serverColumns(prefix: 'imap' | 'smtp', server: ServerAddress | null): Record<string, SqlValue> {
  return {
    [`${prefix}_host`]: server?.host ?? null,
    [`${prefix}_port`]: server?.port ?? null,
    [`${prefix}_security`]: server?.security ?? null,
    [`${prefix}_user`]: server?.user ?? null,
  };
}

function refuseDouble<T>(given: AccountChanges & { readonly acntid?: number }, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isUniqueFailure(error)) throw error;
    const number = given.acntid === undefined ? '' : `, or number ${given.acntid}`;
    throw new EngineError('account_exists', `${given.imap?.user ?? ''} at ${given.imap?.host ?? ''}${number}`, {
      cause: error,
    });
  }
}
