/**
 * Opens SQLite by the version of better-sqlite3 that this Node can bear. 13 stands on Node-API 10, which came with Node 22.14: an
 * older Node dies when it opens a database. 12 must be built on Node 20, and on Node 24.19 and later it dies when a statement
 * is collected.
 */
import { createRequire } from 'node:module';
import type Database from 'better-sqlite3';
import { EngineError } from './errors.ts';

/** By the `process.versions.napi` of a Node. */
export const sqlitePackageOf = (napi: string): string =>
  Number(napi) >= 10 ? 'better-sqlite3' : 'better-sqlite3-node20';

/** What this Node loads. */
export const sqlitePackage = sqlitePackageOf(process.versions.napi ?? '0');

/** Throws `sqlite_missing`, and what better-sqlite3 throws. */
export function openSqlite(file: string, options?: Database.Options): Database.Database {
  try {
    const library = createRequire(import.meta.url)(sqlitePackage) as typeof Database;
    return new library(file, options);
  } catch (error) {
    throw isMissing(error) ? new EngineError('sqlite_missing', firstLine(error), { cause: error }) : error;
  }
}

/** Not installed, not built, or built for another Node. */
const isMissing = (error: unknown): error is Error =>
  error instanceof Error &&
  (('code' in error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_DLOPEN_FAILED')) ||
    error.message.includes('bindings file'));

const firstLine = ({ message }: Error): string => `${sqlitePackage}: ${message.split('\n')[0] ?? ''}`;
