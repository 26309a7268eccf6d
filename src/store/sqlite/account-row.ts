/** email_accounts rows as `Account`, and what every verb of accounts needs. The sealed password is never read here. */
import { EngineError } from '../../base/errors.ts';
import type { Account, AccountState, Security, ServerAddress } from '../store.ts';
import type { Connection } from './connection.ts';

interface AccountRow {
  acntid: number;
  user_id: string | null;
  email: string;
  name: string | null;
  imap_host: string;
  imap_port: number;
  imap_security: Security;
  imap_user: string;
  smtp_host: string | null;
  smtp_port: number | null;
  smtp_security: Security | null;
  smtp_user: string | null;
  enabled: number;
  state: AccountState;
  last_error: string | null;
  retry_at: string | null;
  checked_at: string | null;
  allow_plaintext: number;
  failure_count: number;
  vanished_trust: number;
}

const select = `SELECT acntid, user_id, email, name, imap_host, imap_port, imap_security, imap_user, smtp_host, smtp_port,
  smtp_security, smtp_user, enabled, state, last_error, retry_at, checked_at, allow_plaintext, failure_count,
  vanished_trust FROM email_accounts`;

export const accounts = (c: Connection): Account[] => c.all<AccountRow>(`${select} ORDER BY acntid`).map(toAccount);

export function account(c: Connection, acntid: number): Account | undefined {
  const row = c.get<AccountRow>(`${select} WHERE acntid = ?`, acntid);
  return row && toAccount(row);
}

export function accountStates(c: Connection): Record<AccountState, number> {
  const sql = 'SELECT state, COUNT(*) AS count FROM email_accounts WHERE enabled = 1 GROUP BY state';
  const counts = c.all<{ state: AccountState; count: number }>(sql);
  const of = (state: AccountState): number => counts.find((row) => row.state === state)?.count ?? 0;
  return { ok: of('ok'), auth_error: of('auth_error'), backoff: of('backoff') };
}

export function troubledAccounts(
  c: Connection,
  limit: number,
): { acntid: number; error: string; retryAt: string | null }[] {
  const sql = `SELECT acntid, COALESCE(last_error, state) AS error, retry_at AS retryAt FROM email_accounts
    WHERE enabled = 1 AND state <> 'ok' ORDER BY checked_at DESC LIMIT ?`;
  return c.all(sql, limit);
}

export function requireAccount(c: Connection, acntid: number): void {
  if (c.get('SELECT 1 FROM email_accounts WHERE acntid = ?', acntid)) return;
  throw new EngineError('account_unknown', `account ${acntid}`);
}

/** What another password, login or server frees an account of. */
export function freeAccount(c: Connection, acntid: number): void {
  const freed = `state = 'ok', last_error = NULL, retry_at = NULL, failure_count = 0, smtp_state = 'ok',
    smtp_last_error = NULL, smtp_retry_at = NULL, smtp_failure_count = 0`;
  c.run(`UPDATE email_accounts SET ${freed} WHERE acntid = ?`, acntid);
}

function toAccount(row: AccountRow): Account {
  return {
    acntid: row.acntid,
    email: row.email,
    userId: row.user_id,
    name: row.name,
    imap: { host: row.imap_host, port: row.imap_port, security: row.imap_security, user: row.imap_user },
    smtp: smtpOf(row),
    allowPlaintext: row.allow_plaintext === 1,
    enabled: row.enabled === 1,
    state: row.state,
    lastError: row.last_error,
    retryAt: row.retry_at,
    checkedAt: row.checked_at,
    failureCount: row.failure_count,
    vanishedTrust: row.vanished_trust,
  };
}

function smtpOf(row: AccountRow): ServerAddress | null {
  if (row.smtp_host === null) return null;
  return {
    host: row.smtp_host,
    port: row.smtp_port ?? 0,
    security: row.smtp_security ?? 'tls',
    user: row.smtp_user ?? row.imap_user,
  };
}
