/**
 * The job database as a file: opened only when its last user ended well and SQLite finds nothing wrong with it; made anew in
 * every other case, because what it holds can be made again. Journal DELETE, synchronous OFF: a RAM disk has no power cuts.
 */
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import { makeOwnFolder } from '../../base/own-folder.ts';
import { openSqlite } from '../../base/sqlite.ts';

/** Of the tables below. Another number: made by another version. */
const layout = 1;

const tables = `
CREATE TABLE tasks (
  kind TEXT NOT NULL,
  acntid INTEGER NOT NULL,
  server TEXT NOT NULL,
  class TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  fruitless_count INTEGER NOT NULL,
  running_since_ms INTEGER,
  PRIMARY KEY (acntid, kind)
) WITHOUT ROWID;
CREATE INDEX tasks_waiting ON tasks (kind, class, server, due_ms) WHERE running_since_ms IS NULL;
CREATE INDEX tasks_running ON tasks (running_since_ms) WHERE running_since_ms IS NOT NULL;
CREATE INDEX tasks_failing ON tasks (server) WHERE attempts > 0;
CREATE TABLE lateness (
  hour INTEGER NOT NULL,
  class TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (hour, class, bucket)
) WITHOUT ROWID;
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), is_open INTEGER NOT NULL);
INSERT INTO state (id, is_open) VALUES (1, 1);`;

/** A reader holds a lock for as long as its statement runs: milliseconds. The main thread waits no longer than this. */
const busyTimeoutMs = 250;
const cacheKib = 8 * 1024;

export const inMemory = ':memory:';

/** Throws what SQLite or the file system throw when a new file can't be made either. */
export function openJobFile(file: string): Database.Database {
  if (file === inMemory) return create(file);
  makeOwnFolder(dirname(file));
  return reopen(file) ?? createAnew(file);
}

/** Whatever is there is deleted, with the files that SQLite keeps beside it. */
export function createAnew(file: string): Database.Database {
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  const database = create(file);
  chmodSync(file, 0o660);
  return database;
}

/** The next start will trust it. */
export function closeJobFile(database: Database.Database): void {
  if (!database.open) return;
  try {
    database.exec('UPDATE state SET is_open = 0');
  } finally {
    database.close();
  }
}

function create(file: string): Database.Database {
  const database = openSqlite(file, { timeout: busyTimeoutMs });
  prepare(database);
  database.exec(`BEGIN; ${tables} COMMIT;`);
  database.pragma(`user_version = ${layout}`);
  return database;
}

function prepare(database: Database.Database): void {
  database.pragma('journal_mode = DELETE');
  database.pragma('synchronous = OFF');
  database.pragma(`cache_size = -${cacheKib}`);
}

/** Undefined: there is none, or there is a doubt about it. */
function reopen(file: string): Database.Database | undefined {
  if (!existsSync(file)) return undefined;
  let database: Database.Database | undefined;
  try {
    database = openSqlite(file, { fileMustExist: true, timeout: busyTimeoutMs });
    if (isTrusted(database)) {
      prepare(database);
      database.exec('UPDATE state SET is_open = 1; UPDATE tasks SET running_since_ms = NULL');
      return database;
    }
  } catch {
    // Garbage, torn, unreadable: all the same.
  }
  database?.close();
  return undefined;
}

function isTrusted(database: Database.Database): boolean {
  if (database.pragma('user_version', { simple: true }) !== layout) return false;
  if (database.pragma('quick_check', { simple: true }) !== 'ok') return false;
  return database.prepare<[], { is_open: number }>('SELECT is_open FROM state').get()?.is_open === 0;
}
