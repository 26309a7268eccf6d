/** The only place where SQLite's errors become ours. */
import { EngineError, type ErrorCode } from '../../base/errors.ts';

const codes: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['SQLITE_BUSY', 'store_busy'],
  ['SQLITE_LOCKED', 'store_busy'],
  ['SQLITE_FULL', 'store_full'],
  ['SQLITE_CORRUPT', 'store_corrupt'],
  ['SQLITE_NOTADB', 'store_corrupt'],
  ['SQLITE_IOERR', 'store_io'],
  ['SQLITE_CANTOPEN', 'store_io'],
  ['SQLITE_READONLY', 'store_io'],
];

/** An EngineError stays; a SQLite error is translated; anything else is a bug and stays as it is. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof EngineError || !(error instanceof Error)) return error;
  const sqliteCode = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = codes.find(([prefix]) => sqliteCode.startsWith(prefix));
  return known ? new EngineError(known[1], error.message, { cause: error }) : error;
}
