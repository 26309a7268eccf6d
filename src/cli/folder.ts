/** `folder list`, `set` and `approve-deletions`. */
import type { Command } from 'commander';
import { toInstant } from '../base/clock.ts';
import { EngineError } from '../base/errors.ts';
import type { Priority } from '../store/store.ts';
import { accountOf, folderRow } from './account-list.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { formatTable } from './table.ts';

const priorities: readonly string[] = ['high', 'low', 'off'];

export function register(program: Command, context: CliContext): void {
  const folder = program.command('folder').description('folders: list, set, approve-deletions');
  folder
    .command('list <acntid>')
    .description('folders of an account')
    .option('--json', 'print JSON')
    .action((acntid: string, options: { json?: boolean }) =>
      list(context, numberArgument('ACNTID')(acntid), options.json === true),
    );
  folder
    .command('set <emfdid> <priority>')
    .description('high: synced every few minutes; low: once a day; off: left alone')
    .action((emfdid: string, priority: string) => set(context, numberArgument('EMFDID')(emfdid), priority));
  folder
    .command('approve-deletions <emfdid>')
    .description('let deletions go that the brake holds back')
    .action((emfdid: string) => approve(context, numberArgument('EMFDID')(emfdid)));
}

async function list(context: CliContext, acntid: number, isJson: boolean): Promise<void> {
  const folders = await context.withStore(async (store) => {
    await accountOf(store, acntid);
    return store.folders(acntid);
  });
  const rows = folders.map(folderRow);
  context.print(isJson ? JSON.stringify(rows, null, 2) : rows.length === 0 ? 'no folders yet' : formatTable(rows));
}

const isPriority = (text: string): text is Priority => priorities.includes(text);

async function set(context: CliContext, emfdid: number, priority: string): Promise<void> {
  if (!isPriority(priority))
    throw new EngineError('usage', `PRIORITY is ${JSON.stringify(priority)}. Expected: ${priorities.join(', ')}.`);
  await context.withStore(async (store) => {
    if (!(await store.folder(emfdid))) throw new EngineError('not_found', `No folder ${emfdid}.`);
    await store.setFolderPriority(emfdid, priority);
  });
}

async function approve(context: CliContext, emfdid: number): Promise<void> {
  const count = await context.withStore(async (store) => {
    if (!(await store.folder(emfdid))) throw new EngineError('not_found', `No folder ${emfdid}.`);
    return store.approveDeletions(emfdid, toInstant(new Date()));
  });
  context.say(`${count} messages marked as vanished`);
}
