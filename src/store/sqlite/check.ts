/** `db check`: all of a database file's pages and references, read only. Throws what opening throws. */
import { openSqlite } from '../../base/sqlite.ts';
import { toStoreFailure } from './failure.ts';

const busyMs = 10_000;

export interface DatabaseCheck {
  /** Damage, in SQLite's words. */
  readonly problems: readonly string[];
  /** Tables with rows that name what is not there: no damage; a program wrote them without PRAGMA foreign_keys. */
  readonly strayTables: readonly string[];
}

export function checkDatabase(file: string): DatabaseCheck {
  try {
    const database = openSqlite(file, { readonly: true, timeout: busyMs });
    try {
      const found = database.pragma('integrity_check') as { integrity_check: string }[];
      const strays = database.pragma('foreign_key_check') as { table: string; parent: string }[];
      return {
        problems: found.map((row) => row.integrity_check).filter((text) => text !== 'ok'),
        strayTables: [...new Set(strays.map(({ table, parent }) => `${table} (${parent})`))],
      };
    } finally {
      database.close();
    }
  } catch (error) {
    throw toStoreFailure(error);
  }
}
