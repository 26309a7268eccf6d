/** Verbs of logins. account_logins has a row only for accounts that need more than a password of their own. */
import { EngineError } from '../../base/errors.ts';
import type { Grant, GrantSecrets, Login, LoginChanges, OauthClient } from '../logins.ts';
import { freeAccount, requireAccount } from './account-row.ts';
import type { Connection, SqlValue } from './connection.ts';
import { type Client, grantPlace, placeOf } from './sealed.ts';

interface LoginRow extends Client {
  readonly login_user: string | null;
  readonly password_command_sealed: Uint8Array | null;
  readonly preset: string | null;
  readonly client_secret_sealed: Uint8Array | null;
  readonly scope: string | null;
  readonly refresh_token_sealed: Uint8Array | null;
  readonly access_token_sealed: Uint8Array | null;
  readonly access_token_refresh_at: string | null;
  readonly access_token_expires_at: string | null;
  readonly generation: number;
  readonly lease_until: string | null;
  readonly refresh_failure: 'refused' | 'unavailable' | null;
  readonly refresh_error: string | null;
  readonly refresh_retry_at: string | null;
  readonly refresh_failure_count: number;
}

const rowOf = (c: Connection, acntid: number): LoginRow | undefined =>
  c.get<LoginRow>('SELECT * FROM account_logins WHERE acntid = ?', acntid);

export function login(c: Connection, acntid: number): Login | undefined {
  const sql = 'SELECT password_sealed IS NOT NULL AS has_password FROM email_accounts WHERE acntid = ?';
  const account = c.get<{ has_password: number }>(sql, acntid);
  if (!account) return undefined;
  const row = rowOf(c, acntid);
  return {
    loginUser: row?.login_user ?? null,
    hasPassword: account.has_password === 1,
    hasPasswordCommand: Boolean(row?.password_command_sealed),
    oauth: (row && clientOf(row)) ?? null,
    hasRefreshToken: Boolean(row?.refresh_token_sealed),
    hasClientSecret: Boolean(row?.client_secret_sealed),
    accessTokenExpiresAt: row?.access_token_expires_at ?? null,
    refreshError: row?.refresh_error ?? null,
  };
}

function clientOf({ preset, client_id, token_url, scope }: LoginRow): OauthClient | undefined {
  if (client_id === null || token_url === null) return undefined;
  return { preset, clientId: client_id, tokenUrl: token_url, scope };
}

export function grant(c: Connection, acntid: number): Grant | undefined {
  const row = rowOf(c, acntid);
  const client = row && clientOf(row);
  return client && { ...client, ...grantSecrets(c, acntid, row), ...grantState(c, acntid, row) };
}

type GrantSecret = 'client_secret' | 'refresh_token';

function openGrantSecret(c: Connection, acntid: number, row: LoginRow, field: GrantSecret): string | null {
  const sealed = row[`${field}_sealed`];
  return sealed && c.secrets.unseal(grantPlace(acntid, field, row), sealed);
}

const grantSecrets = (c: Connection, acntid: number, row: LoginRow): GrantSecrets => ({
  clientSecret: openGrantSecret(c, acntid, row, 'client_secret'),
  refreshToken: openGrantSecret(c, acntid, row, 'refresh_token'),
});

function grantState(
  c: Connection,
  acntid: number,
  row: LoginRow,
): Pick<Grant, 'generation' | 'accessToken' | 'leaseUntil' | 'failure'> {
  const {
    access_token_sealed: sealed,
    access_token_refresh_at: refreshAt,
    access_token_expires_at: expiresAt,
    refresh_failure: kind,
    refresh_retry_at: retryAt,
  } = row;
  return {
    generation: row.generation,
    accessToken:
      sealed && refreshAt !== null && expiresAt !== null
        ? { token: c.secrets.unseal(placeOf(acntid, 'access_token'), sealed), refreshAt, expiresAt }
        : null,
    leaseUntil: row.lease_until,
    failure:
      kind !== null && retryAt !== null
        ? { kind, error: row.refresh_error ?? '', retryAt, count: row.refresh_failure_count }
        : null,
  };
}

export function passwordCommand(c: Connection, acntid: number): readonly string[] | undefined {
  const sealed = rowOf(c, acntid)?.password_command_sealed;
  return sealed ? (JSON.parse(c.secrets.unseal(placeOf(acntid, 'password_command'), sealed)) as string[]) : undefined;
}

/** Part of the transaction that makes or changes the account. */
export function changeLogin(c: Connection, acntid: number, changes: LoginChanges): void {
  requireAccount(c, acntid);
  c.run('INSERT INTO account_logins (acntid) VALUES (?) ON CONFLICT DO NOTHING', acntid);
  const { loginUser, passwordCommand: command } = changes;
  if (loginUser !== undefined) setColumns(c, acntid, { login_user: loginUser });
  if (command !== undefined) {
    const sealed = command && c.secrets.seal(placeOf(acntid, 'password_command'), JSON.stringify(command));
    setColumns(c, acntid, { password_command_sealed: sealed });
  }
  if (changes.oauth !== undefined) changeGrant(c, acntid, changes.oauth);
  freeAccount(c, acntid);
}

const noGrant = { preset: null, client_id: null, token_url: null, scope: null };
const noGrantSecrets = { client_secret_sealed: null, refresh_token_sealed: null };
/** What belongs to the grant before: another generation begins. */
const noGrantState = {
  access_token_sealed: null,
  access_token_refresh_at: null,
  access_token_expires_at: null,
  lease_holder: null,
  lease_until: null,
  refresh_failure: null,
  refresh_error: null,
  refresh_retry_at: null,
  refresh_failure_count: 0,
};

function changeGrant(c: Connection, acntid: number, changes: NonNullable<LoginChanges['oauth']> | null): void {
  const row = rowOf(c, acntid);
  if (!row) return;
  const state = { ...noGrantState, generation: row.generation + 1 };
  const grant = changes === null ? { ...noGrant, ...noGrantSecrets } : mergedGrant(c, acntid, row, changes);
  setColumns(c, acntid, { ...grant, ...state });
}

/** A secret that is replaced is not opened before: a lost key must not stand in the way. */
function mergedGrant(
  c: Connection,
  acntid: number,
  row: LoginRow,
  changes: NonNullable<LoginChanges['oauth']>,
): Record<string, SqlValue> {
  const clientId = changes.clientId ?? row.client_id;
  const tokenUrl = changes.tokenUrl ?? row.token_url;
  if (clientId === null || tokenUrl === null)
    throw new EngineError('usage', 'An OAuth grant needs a client id and a token URL.');
  const client = { client_id: clientId, token_url: tokenUrl };
  const seal = (field: GrantSecret, given: string | null | undefined): SqlValue => {
    const text = given === undefined ? openGrantSecret(c, acntid, row, field) : given;
    return text === null ? null : c.secrets.seal(grantPlace(acntid, field, client), text);
  };
  return {
    ...client,
    preset: changes.preset === undefined ? row.preset : changes.preset,
    scope: changes.scope === undefined ? row.scope : changes.scope,
    client_secret_sealed: seal('client_secret', changes.clientSecret),
    refresh_token_sealed: seal('refresh_token', changes.refreshToken),
  };
}

function setColumns(c: Connection, acntid: number, columns: Readonly<Record<string, SqlValue>>): void {
  const assignments = Object.keys(columns).map((name) => `${name} = ?`);
  c.run(`UPDATE account_logins SET ${assignments.join(', ')} WHERE acntid = ?`, ...Object.values(columns), acntid);
}
