/** A look into the job database from another process, read-only and short: what the engine has in its queue. */
import { existsSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { openSqlite } from '../base/sqlite.ts';
import type { TaskState } from './queue.ts';
import { readTasks } from './sqlite/task-rows.ts';

/** The engine writes for milliseconds at a time. */
const busyTimeoutMs = 1000;

export interface QueuePeek {
  readonly tasks: readonly TaskState[];
  /** Of all accounts. */
  readonly running: readonly TaskState[];
}

/** Null: there is no job database, or none that can be read; the engine may keep it in memory. */
export function peekQueue(file: string, acntid: number): QueuePeek | null {
  if (!existsSync(file)) return null;
  let database: Database.Database | undefined;
  try {
    database = openSqlite(file, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
    return {
      tasks: readTasks(database, 'WHERE acntid = ? ORDER BY kind', acntid),
      running: readTasks(database, 'WHERE running_since_ms IS NOT NULL ORDER BY running_since_ms'),
    };
  } catch {
    return null; // no database, or being made this moment
  } finally {
    database?.close();
  }
}
