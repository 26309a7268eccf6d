/**
 * Every sealed column of the database, and what each is bound to. What a client's secret and refresh token are sealed for includes
 * where they go: a program that can write the database, but not read the key, can't have them sent elsewhere.
 */
import { EngineError } from '../../base/errors.ts';
import type { SecretPlace } from '../secrets.ts';
import type { Connection } from './connection.ts';

/** Whom a grant's secrets are for. */
export interface Client {
  readonly client_id: string | null;
  readonly token_url: string | null;
}

/** Bound to the account alone. */
export const placeOf = (acntid: number, field: 'password' | 'password_command' | 'access_token'): SecretPlace => ({
  acntid,
  field,
});

export const grantPlace = (
  acntid: number,
  field: 'client_secret' | 'refresh_token',
  { client_id, token_url }: Client,
): SecretPlace => ({ acntid, field: `${field} ${JSON.stringify([client_id, token_url])}` });

interface SealedRow extends Client {
  readonly acntid: number;
  readonly sealed: Uint8Array;
}

interface SealedColumn {
  readonly table: 'email_accounts' | 'account_logins';
  readonly column: string;
  readonly place: (row: SealedRow) => SecretPlace;
}

export const sealedColumns: readonly SealedColumn[] = [
  { table: 'email_accounts', column: 'password_sealed', place: ({ acntid }) => placeOf(acntid, 'password') },
  {
    table: 'account_logins',
    column: 'password_command_sealed',
    place: ({ acntid }) => placeOf(acntid, 'password_command'),
  },
  { table: 'account_logins', column: 'access_token_sealed', place: ({ acntid }) => placeOf(acntid, 'access_token') },
  {
    table: 'account_logins',
    column: 'client_secret_sealed',
    place: (row) => grantPlace(row.acntid, 'client_secret', row),
  },
  {
    table: 'account_logins',
    column: 'refresh_token_sealed',
    place: (row) => grantPlace(row.acntid, 'refresh_token', row),
  },
];

/** Seals with the key of now what another key has sealed. What can't be opened stays as it is, and names its account. */
export function resealAll(c: Connection): { readonly count: number; readonly unreadable: readonly number[] } {
  let count = 0;
  const unreadable = new Set<number>();
  for (const sealedColumn of sealedColumns) {
    for (const row of staleRows(c, sealedColumn)) {
      const text = openedOrNull(c, sealedColumn, row);
      if (text === null) unreadable.add(row.acntid);
      else count += reseal(c, sealedColumn, row, text);
    }
  }
  return { count, unreadable: [...unreadable].sort((a, b) => a - b) };
}

/** Is something left that only a key before this one opens? */
export const hasStaleSecrets = (c: Connection): boolean =>
  sealedColumns.some((one) => staleRows(c, one).some((row) => openedOrNull(c, one, row) !== null));

function reseal(c: Connection, { table, column, place }: SealedColumn, row: SealedRow, text: string): number {
  const sealed = c.secrets.seal(place(row), text);
  return c.run(`UPDATE ${table} SET ${column} = ? WHERE acntid = ?`, sealed, row.acntid);
}

function openedOrNull(c: Connection, { place }: SealedColumn, row: SealedRow): string | null {
  try {
    return c.secrets.unseal(place(row), row.sealed);
  } catch (error) {
    if (error instanceof EngineError && error.code === 'secret_unreadable') return null;
    throw error;
  }
}

function staleRows(c: Connection, { table, column }: SealedColumn): SealedRow[] {
  const client = table === 'account_logins' ? 'client_id, token_url' : 'NULL AS client_id, NULL AS token_url';
  const sql = `SELECT acntid, ${column} AS sealed, ${client} FROM ${table} WHERE ${column} IS NOT NULL`;
  return c.all<SealedRow>(sql).filter((row) => !c.secrets.isCurrent(row.sealed));
}
