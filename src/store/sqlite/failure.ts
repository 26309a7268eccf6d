/**
 * The one place where SQLite's errors become ours. What only one message can be blamed for (`isRowFailure`) is kept apart
 * from what stops the whole store. Anything that is neither SQLite nor the file system is left as it is: a bug.
 */
import { EngineError, type ErrorCode } from '../../base/errors.ts';

const codes: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['SQLITE_FULL', 'store_full'],
  ['ENOSPC', 'store_full'],
  ['EDQUOT', 'store_full'],
  ['SQLITE_BUSY', 'store_busy'],
  ['SQLITE_LOCKED', 'store_busy'],
  ['SQLITE_CORRUPT', 'store_corrupt'],
  ['SQLITE_NOTADB', 'store_corrupt'],
  // Not the disk: constraints and statements, of which those of other programs are the usual trouble.
  ['SQLITE_CONSTRAINT', 'store_refused'],
  ['SQLITE_ERROR', 'store_refused'],
];

/** SQLite's result code (`SQLITE_CONSTRAINT_UNIQUE`) or the system's (`ENOSPC`); empty when it has none. */
function failureCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

// ERR_… codes are Node's own complaints about arguments: defects, not storage.
const isStorageCode = (code: string): boolean => /^(SQLITE_|E(?!RR_)[A-Z0-9]+$)/.test(code);

/** An EngineError stays what it is. SQLite's messages name tables and columns, never values. */
export function toStoreFailure(error: unknown): unknown {
  const code = failureCode(error);
  if (error instanceof EngineError || !(error instanceof Error) || !isStorageCode(code)) return error;
  const known = codes.find(([prefix]) => code.startsWith(prefix));
  // The file system's messages begin with their code, SQLite's have none.
  const text = error.message.startsWith(`${code}: `) ? error.message : `${code}: ${error.message}`;
  return new EngineError(known?.[1] ?? 'store_io', text, { cause: error });
}

/** A part of the transaction failed, and there is no savepoint to undo it alone. */
export class SavepointWanted extends Error {
  constructor(cause: unknown) {
    super('a part of a transaction failed', { cause });
  }
}

/** Does the blame lie with the row alone? Then the next one may go in. */
export function isRowFailure(error: unknown): boolean {
  if (error instanceof EngineError || error instanceof SavepointWanted) return false;
  const code = failureCode(error);
  if (!isStorageCode(code)) return true;
  return /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(code);
}

export const isUniqueFailure = (error: unknown): boolean =>
  /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY|ROWID)$/.test(failureCode(error));
