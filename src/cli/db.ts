/** `db migrate`, `backup`, `check` and `rebuild`. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import { storeFile } from '../config/store-location.ts';
import { accountOf } from './account-list.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';

export function register(program: Command, context: CliContext): void {
  const db = program.command('db').description('database: migrate, backup, check, rebuild');
  db.command('migrate')
    .description('bring the tables up to date; an older database is copied first')
    .action(() => context.withStore(async () => context.say('the database is up to date')));
  db.command('backup <file>')
    .description('a consistent copy, also while an engine is at work; take the key file along')
    .action((file: string) => backup(context, file));
  db.command('check')
    .description('integrity of the database file')
    .action(() => check(context));
  db.command('rebuild')
    .description('make anew what was derived: the search index, conversations')
    .option('--search', 'the index, from the texts; minutes for a million mails')
    .option(
      '--conversations <acntid>',
      'of this account; the next reading forms them',
      numberArgument('--conversations'),
    )
    .action((options: { search?: boolean; conversations?: number }) => rebuild(context, options));
}

async function rebuild(context: CliContext, { search, conversations }: { search?: boolean; conversations?: number }) {
  if (search !== true && conversations === undefined)
    throw new EngineError('usage', 'Name what to rebuild: --search, --conversations ACNTID.');
  await context.withStore(async (store) => {
    if (search === true) await store.rebuildSearch();
    if (conversations === undefined) return;
    const { acntid } = await accountOf(store, conversations);
    context.say(`${await store.forgetConversations(acntid)} messages will get conversations anew`);
  });
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
