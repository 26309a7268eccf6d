/**
 * Opens the database file: one writing connection (it creates and migrates), any number of reading ones. A database of a
 * newer backproc is refused before anything is written to it. Throws `store_newer`, `store_corrupt`, `store_busy`,
 * `store_full`, `store_io`.
 */
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import { makeOwnFolder } from '../../base/own-folder.ts';
import { openSqlite } from '../../base/sqlite.ts';
import { toStoreFailure } from './failure.ts';
import { type Migration, migrate, migrations, refuseForeign } from './migrate.ts';

/** Other programs may write (outbox, presence): their transactions are waited for this long. */
const busyTimeoutMs = 10_000;
/** 2,000 pages of 16 KiB: the WAL is moved into the database every 32 MiB. */
const checkpointPages = 2_000;
const journalBytesMax = 64 * 1024 * 1024;
/** Small on purpose: the system caches the file, and an engine of many threads has to stay below 200 MB. */
const writerCacheKib = 8 * 1024;

/** The application's group's to write, too; others see nothing. */
const databaseMode = 0o660;

/** `known`: the migrations to bring it to; tests give others. */
export function openWriter(file: string, known: readonly Migration[] = migrations): Database.Database {
  return translated(() => {
    createIfMissing(file);
    const database = openSqlite(file, { fileMustExist: true, timeout: busyTimeoutMs });
    return closedOnFailure(database, () => prepareWriter(database, file, known));
  });
}

export function openReader(file: string): Database.Database {
  return translated(() => {
    const database = openSqlite(file, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
    return closedOnFailure(database, () => refuseForeign(database, file, migrations));
  });
}

function prepareWriter(database: Database.Database, file: string, known: readonly Migration[]): void {
  refuseForeign(database, file, known);
  database.pragma('page_size = 16384');
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma(`wal_autocheckpoint = ${checkpointPages}`);
  database.pragma(`journal_size_limit = ${journalBytesMax}`);
  database.pragma(`cache_size = -${writerCacheKib}`);
  // new_password is taken and blanked: its bytes must not stay behind in a page.
  database.pragma('secure_delete = FAST');
  database.pragma('foreign_keys = ON');
  migrate(database, file, known);
}

function createIfMissing(file: string): void {
  makeOwnFolder(dirname(file));
  if (existsSync(file)) return;
  closeSync(openSync(file, 'a', databaseMode));
  chmodSync(file, databaseMode);
}

function closedOnFailure(database: Database.Database, work: () => void): Database.Database {
  try {
    work();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toStoreFailure(error);
  }
}
