/** A part of a transaction that can fail alone: on an error its statements are undone and the rest stands. */
import type { Connection } from './connection.ts';

/** `name` is a fixed word of ours. When SQLite gave up the whole transaction (disk full), there is nothing to roll back to. */
export function savepoint<T>(c: Connection, name: string, work: () => T): T {
  c.run(`SAVEPOINT ${name}`);
  try {
    const result = work();
    c.run(`RELEASE ${name}`);
    return result;
  } catch (error) {
    if (c.database.inTransaction) {
      c.run(`ROLLBACK TO ${name}`);
      c.run(`RELEASE ${name}`);
    }
    throw error;
  }
}
