/** `db migrate`, `backup` and `check`. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import { storeFile } from '../config/store-location.ts';
import type { CliContext } from './context.ts';

export function register(program: Command, context: CliContext): void {
  const db = program.command('db').description('database: migrate, backup, check');
  db.command('migrate')
    .description('bring the tables up to date; an older database is copied first')
    .action(() => context.withStore(async () => context.say('the database is up to date')));
  db.command('backup <file>')
    .description('a consistent copy, also while an engine is at work; take the key file along')
    .action((file: string) => backup(context, file));
  db.command('check')
    .description('integrity of the database file')
    .action(() => check(context));
}

async function openDatabase(context: CliContext) {
  const { config } = await context.loadConfig();
  const file = storeFile(config);
  if (!existsSync(file)) throw new EngineError('not_found', `No database at ${file}.`);
  const { default: Database } = await import('better-sqlite3');
  return new Database(file, { readonly: true, timeout: 10_000 });
}

async function backup(context: CliContext, file: string): Promise<void> {
  if (existsSync(file)) throw new EngineError('usage', `${file} exists already.`);
  const database = await openDatabase(context);
  try {
    database.prepare('VACUUM INTO ?').run(file);
  } finally {
    database.close();
  }
  context.say(`copied to ${file}`);
}

async function check(context: CliContext): Promise<void> {
  const database = await openDatabase(context);
  try {
    const problems = [
      ...column(database.pragma('integrity_check')),
      ...column(database.pragma('foreign_key_check')),
    ].filter((text) => text !== 'ok');
    if (problems.length > 0) throw new EngineError('store_corrupt', problems.slice(0, 5).join('; '));
  } finally {
    database.close();
  }
  context.say('ok');
}

function column(rows: unknown): string[] {
  return Array.isArray(rows) ? rows.map((row: Record<string, unknown>) => Object.values(row).join(' ')) : [];
}
