/** `db check`: all of a database file's pages and references, read only. Throws what opening throws. */
import { openSqlite } from '../../base/sqlite.ts';
import { toStoreFailure } from './failure.ts';

const busyMs = 10_000;

/** What is wrong, in SQLite's words; nothing: it is sound. */
export function checkDatabase(file: string): string[] {
  try {
    const database = openSqlite(file, { readonly: true, timeout: busyMs });
    try {
      return ['integrity_check', 'foreign_key_check']
        .flatMap((check) => column(database.pragma(check)))
        .filter((text) => text !== 'ok');
    } finally {
      database.close();
    }
  } catch (error) {
    throw toStoreFailure(error);
  }
}

const column = (rows: unknown): string[] =>
  Array.isArray(rows) ? rows.map((row: Record<string, unknown>) => Object.values(row).join(' ')) : [];
