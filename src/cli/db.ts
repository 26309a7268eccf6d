/** `db migrate`, `backup`, `check` and `rebuild`. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import { storeFile } from '../config/store-location.ts';
import { accountOf } from './account-list.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { formatBytes } from './progress-display.ts';
import { writingTo } from './target.ts';

export function register(program: Command, context: CliContext): void {
  const db = program.command('db').description('database: migrate, backup, check, rebuild');
  db.command('migrate')
    .description('bring the tables up to date; an older database is copied first')
    .action(() => context.withStore(async () => context.say('the database is up to date')));
  db.command('backup <file>')
    .description(
      'a consistent, checked copy under a new name, also while an engine is at work; take the key file along',
    )
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

async function existingStore(context: CliContext): Promise<string> {
  const { config } = await context.loadConfig();
  const file = storeFile(config);
  if (!existsSync(file)) throw new EngineError('not_found', `No database at ${file}.`);
  return file;
}

async function backup(context: CliContext, given: string): Promise<void> {
  const [file, target] = [await existingStore(context), resolve(context.cwd, given)];
  if (!existsSync(dirname(target))) throw new EngineError('usage', `There is no folder ${dirname(target)}.`);
  const { backupDatabase } = await import('../store/sqlite/backup.ts');
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
  const clear = (): void => {
    if (context.isTerminal) context.stderr.write('\r\u001b[K');
  };
  const onProgress = (done: number): void => {
    if (context.isTerminal) context.stderr.write(`\r\u001b[Kcopying: ${Math.floor(done * 100)} %`);
  };
  try {
    const bytes = await writingTo(target, () => {
      accessSync(dirname(target), constants.W_OK); // SQLite would only say that it cannot open the file
      return backupDatabase({ file, target, onProgress, signal: stopping.signal });
    });
    clear();
    context.say(`copied to ${target}: ${formatBytes(bytes)}, checked`);
  } catch (error) {
    clear();
    throw error;
  }
}

async function check(context: CliContext): Promise<void> {
  const file = await existingStore(context);
  const { checkDatabase } = await import('../store/sqlite/check.ts');
  const { problems, strayTables } = checkDatabase(file);
  if (problems.length > 0) throw new EngineError('store_corrupt', problems.slice(0, 5).join('; '));
  const strays = `; rows that name what is not there, written without PRAGMA foreign_keys: ${strayTables.join(', ')}`;
  context.say(`ok${strayTables.length > 0 ? strays : ''}`);
}
