/**
 * Refreshing a grant, one at a time over all threads and processes: lease → ask the provider (no transaction is open) → save, or
 * note the failure. Everything but the lease is tied to the generation that was read before.
 */
import type { FailedGrant, LeaseRequest, RefreshedGrant } from '../logins.ts';
import type { Connection, SqlValue } from './connection.ts';
import { type Client, grantPlace, placeOf } from './sealed.ts';

/** Whoever asks for a lease may be held up for as long between reading the clock and getting here. */
const delayMs = 15_000;

/**
 * A lease that ends later than one could that is taken now comes from a clock that has since been set back: it is none. One that ends
 * a little later was taken by somebody who read the clock after us and came before us: it stands.
 */
export function leaseGrant(c: Connection, { acntid, generation, holder, at, until }: LeaseRequest): boolean {
  const sql = `UPDATE account_logins SET lease_holder = ?, lease_until = ? WHERE acntid = ? AND generation = ?
    AND (lease_until IS NULL OR lease_until <= ? OR lease_until > ?)`;
  const latest = new Date(Date.parse(until) + delayMs).toISOString();
  return c.run(sql, holder, until, acntid, generation, at, latest) === 1;
}

/** The new refresh token is there from this transaction on, and only then is the access token handed out. */
export function saveGrant(c: Connection, { acntid, generation, accessToken, refreshToken }: RefreshedGrant): boolean {
  const client = c.get<Client>(
    'SELECT client_id, token_url FROM account_logins WHERE acntid = ? AND generation = ?',
    acntid,
    generation,
  );
  if (!client) return false;
  const rotated = refreshToken && c.secrets.seal(grantPlace(acntid, 'refresh_token', client), refreshToken);
  const values: SqlValue[] = [
    c.secrets.seal(placeOf(acntid, 'access_token'), accessToken.token),
    accessToken.refreshAt,
    accessToken.expiresAt,
  ];
  const sql = `UPDATE account_logins SET access_token_sealed = ?, access_token_refresh_at = ?, access_token_expires_at = ?,
    refresh_token_sealed = COALESCE(?, refresh_token_sealed), generation = generation + 1, lease_holder = NULL, lease_until = NULL,
    refresh_failure = NULL, refresh_error = NULL, refresh_retry_at = NULL, refresh_failure_count = 0 WHERE acntid = ?`;
  return c.run(sql, ...values, rotated, acntid) === 1;
}

export function failGrant(c: Connection, { acntid, generation, holder, failure }: FailedGrant): void {
  const { kind, error, retryAt, count } = failure;
  const sql = `UPDATE account_logins SET lease_holder = NULL, lease_until = NULL, refresh_failure = ?, refresh_error = ?,
    refresh_retry_at = ?, refresh_failure_count = ? WHERE acntid = ? AND generation = ? AND lease_holder = ?`;
  c.run(sql, kind, error, retryAt, count, acntid, generation, holder);
}
