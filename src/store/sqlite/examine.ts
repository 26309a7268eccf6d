/** What `doctor` asks of a database file: only reads, creates nothing, migrates nothing. A failure is part of the answer. */
import { existsSync, statSync } from 'node:fs';
import type Database from 'better-sqlite3';
import type { Instant } from '../../base/clock.ts';
import { type ErrorRecord, toErrorRecord } from '../../base/errors.ts';
import type { StoreSize } from '../upkeep.ts';
import { toStoreFailure } from './failure.ts';
import { migrations } from './migrate.ts';
import { openReader } from './open.ts';
import { sealedColumns } from './sealed.ts';
import { walFileOf } from './wal.ts';

export interface StoreExamination {
  /** Null: there is no file. */
  readonly bytes: number | null;
  /** Why it could not be examined; the rest is empty then. */
  readonly error: ErrorRecord | null;
  readonly version: number;
  readonly knownVersion: number;
  readonly freeBytes: number;
  readonly walBytes: number;
  /** What the check found; null: it was left out, the file is large. */
  readonly problems: readonly string[] | null;
  /** Newest instant that the engine wrote. */
  readonly newestAt: Instant | null;
  readonly sizes: readonly StoreSize[];
  /** Is there something that only the key opens? */
  readonly hasSecrets: boolean;
}

/** A quick check reads the whole file: 1 GiB takes about a second from memory, ten from a disk. */
const quickBytesMax = 1024 * 1024 * 1024;
const problemsMax = 5;

const nothing: StoreExamination = {
  bytes: null,
  error: null,
  version: 0,
  knownVersion: migrations.at(-1)?.number ?? 0,
  freeBytes: 0,
  walBytes: 0,
  problems: null,
  newestAt: null,
  sizes: [],
  hasSecrets: false,
};

export function examineStore(file: string, isDeep: boolean): StoreExamination {
  if (!existsSync(file)) return nothing;
  const bytes = statSync(file).size;
  try {
    const database = openReader(file);
    try {
      return { ...nothing, bytes, ...examine(database, bytes, isDeep) };
    } finally {
      database.close();
    }
  } catch (error) {
    return { ...nothing, bytes, error: toErrorRecord(toStoreFailure(error)) };
  }
}

function examine(database: Database.Database, bytes: number, isDeep: boolean): Partial<StoreExamination> {
  const pragma = (name: string): number => Number(database.pragma(name, { simple: true }));
  const check = isDeep ? 'integrity_check' : 'quick_check';
  return {
    version: pragma('user_version'),
    freeBytes: pragma('freelist_count') * pragma('page_size'),
    walBytes: statSync(walFileOf(database.name), { throwIfNoEntry: false })?.size ?? 0,
    problems: isDeep || bytes <= quickBytesMax ? problemsOf(database, check) : null,
    newestAt: newestInstant(database),
    sizes: hasTable(database, 'store_sizes') ? sizesOf(database) : [],
    hasSecrets: hasSecrets(database),
  };
}

function problemsOf(database: Database.Database, check: string): string[] {
  const rows = database.pragma(`${check}(${problemsMax})`) as Record<string, string>[];
  return rows.flatMap((row) => Object.values(row)).filter((text) => text !== 'ok');
}

const hasTable = (database: Database.Database, name: string): boolean =>
  database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined;

const hasSecrets = (database: Database.Database): boolean =>
  sealedColumns.some(({ table, column }) => {
    const sql = `SELECT 1 FROM ${table} WHERE ${column} IS NOT NULL`;
    return hasTable(database, table) && database.prepare(sql).get() !== undefined;
  });

const sizesOf = (database: Database.Database): StoreSize[] =>
  database.prepare<[], StoreSize>('SELECT at, bytes, free_bytes AS freeBytes FROM store_sizes ORDER BY day').all();

/** Of the last changes and of what every pass stamps; no table is read to its end. */
function newestInstant(database: Database.Database): Instant | null {
  if (!hasTable(database, 'email_accounts')) return null;
  const sql = `SELECT MAX(at) AS at FROM (
    SELECT MAX(at) AS at FROM (SELECT at FROM email_changes ORDER BY seq DESC LIMIT 1000)
    UNION ALL SELECT MAX(checked_at) FROM email_accounts UNION ALL SELECT MAX(recent_synced_at) FROM email_folders)`;
  return database.prepare<[], { at: Instant | null }>(sql).get()?.at ?? null;
}
