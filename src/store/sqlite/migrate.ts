/**
 * Numbered migrations; user_version holds the number of the last one. Never edited after release. A database that has data
 * is copied first (`mail.db.before-migration-N`), then all missing migrations run in one transaction: killed in between,
 * the database is the old one.
 */
import { chmodSync, renameSync, rmSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { EngineError } from '../../base/errors.ts';
import { migration1 } from './migration-1.ts';
import { migration2 } from './migration-2.ts';
import { migration3 } from './migration-3.ts';
import { migration4 } from './migration-4.ts';
import { migration5 } from './migration-5.ts';
import { migration6 } from './migration-6.ts';
import { migration7 } from './migration-7.ts';
import { migration8 } from './migration-8.ts';
import { migration9 } from './migration-9.ts';

export interface Migration {
  readonly number: number;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  { number: 1, sql: migration1 },
  { number: 2, sql: migration2 },
  { number: 3, sql: migration3 },
  { number: 4, sql: migration4 },
  { number: 5, sql: migration5 },
  { number: 6, sql: migration6 },
  { number: 7, sql: migration7 },
  { number: 8, sql: migration8 },
  { number: 9, sql: migration9 },
];

const newest = (known: readonly Migration[]): number => known.at(-1)?.number ?? 0;

const versionOf = (database: Database.Database): number => Number(database.pragma('user_version', { simple: true }));

/** Only reads. Throws `store_newer`, or `store_corrupt` when another program's tables are in the file. */
export function refuseForeign(database: Database.Database, file: string, known: readonly Migration[]): void {
  const version = versionOf(database);
  if (version > newest(known)) {
    throw new EngineError('store_newer', `${file} is at migration ${version}, this version knows ${newest(known)}`);
  }
  const tables = database.prepare<[], { count: number }>('SELECT COUNT(*) AS count FROM sqlite_master').get();
  if (version === 0 && (tables?.count ?? 0) > 0) {
    throw new EngineError('store_corrupt', `${file} holds tables of another program`);
  }
}

export function migrate(database: Database.Database, file: string, known: readonly Migration[]): void {
  const before = versionOf(database);
  if (before === newest(known)) return;
  if (before > 0) copyAside(database, `${file}.before-migration-${newest(known)}`);
  database
    .transaction(() => {
      // Asked again under the write lock: two openers may have started together.
      const version = versionOf(database);
      for (const migration of known.filter(({ number }) => number > version)) database.exec(migration.sql);
      database.pragma(`user_version = ${newest(known)}`);
    })
    .immediate();
}

/** Under its final name only once it is complete. */
function copyAside(database: Database.Database, copy: string): void {
  const part = `${copy}.part`;
  rmSync(part, { force: true });
  database.prepare('VACUUM INTO ?').run(part);
  chmodSync(part, 0o660);
  renameSync(part, copy);
}
