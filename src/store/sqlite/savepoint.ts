/**
 * A part of a transaction that can fail alone: on an error its statements are undone and the rest stands. Only once it is known
 * that one fails: under a savepoint SQLite copies every page before it changes it, into a temporary file. Until then an error
 * undoes everything, and the request is run again with them (group-commit.ts).
 */
import type { Connection } from './connection.ts';
import { SavepointWanted, toStoreFailure } from './failure.ts';

/** `name` is a fixed word of ours. Where SQLite gave up the whole transaction, no part can be blamed: then no row failure comes out. */
export function savepoint<T>(c: Connection, name: string, work: () => T): T {
  if (c.hasSavepoints) c.run(`SAVEPOINT ${name}`);
  try {
    const result = work();
    if (c.hasSavepoints) c.run(`RELEASE ${name}`);
    return result;
  } catch (error) {
    if (!c.database.inTransaction) throw toStoreFailure(error);
    if (!c.hasSavepoints) throw new SavepointWanted(error);
    c.run(`ROLLBACK TO ${name}`);
    c.run(`RELEASE ${name}`);
    throw error;
  }
}
