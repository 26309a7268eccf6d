/**
 * One engine a store. Exclusion is `BEGIN EXCLUSIVE` held on a small SQLite file beside the store: the kernel drops it with
 * the process, however that ends. Two configurations on one store are one engine. Nobody in this process may open that file
 * outside SQLite: closing such a descriptor would drop the POSIX lock.
 */
import { chmodSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import { EngineError } from '../../base/errors.ts';
import { makeOwnFolder } from '../../base/own-folder.ts';
import { openSqlite } from '../../base/sqlite.ts';
import { identityOf } from './holder.ts';

export interface Lock {
  /** False when the path no longer leads to the file we hold: an administrator deleted it, and another may hold a new one. */
  isHeld(): boolean;
  release(): void;
}

/** A late release on Windows, and races with no winner, were seen; after this the holder is real. */
const retryMsMax = 300;
const retryMs = 20;

/**
 * Null: another engine holds it. Loads nothing but SQLite: this is all that a second launch does. Throws store_io where the
 * folder is closed to this user, or can't be written.
 */
export async function acquireLock(file: string): Promise<Lock | null> {
  const endMs = performance.now() + retryMsMax;
  for (;;) {
    const lock = tryLock(file);
    if (lock || performance.now() > endMs) return lock;
    await wait(retryMs + Math.random() * retryMs);
  }
}

/** Once, without waiting. */
function tryLock(file: string): Lock | null {
  let database: Database.Database | undefined;
  try {
    makeOwnFolder(dirname(file));
    database = openSqlite(file, { timeout: 0 });
    // Nothing is ever written: no journal lies beside it, which would have the modes of the first moment.
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
    // Whoever shares it by the group may lock it, but not change its mode.
    if (statSync(file).uid === process.getuid?.()) chmodSync(file, 0o660);
    return heldLock(database, file);
  } catch (error) {
    database?.close();
    if (error instanceof EngineError) throw error;
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')) return null;
    throw storeIo(file, error);
  }
}

/** A folder that cannot be written, a mount that is read-only: for the administrator to do, and no defect. */
const storeIo = (file: string, error: unknown): EngineError =>
  new EngineError('store_io', `${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });

function heldLock(database: Database.Database, file: string): Lock {
  const held = identityOf(file);
  return {
    isHeld: () => database.open && identityOf(file) === held,
    release() {
      if (database.open) database.close();
    },
  };
}
