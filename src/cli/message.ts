/** `message list` and `retry`; `show` and `export` have files of their own. */
import type { Command } from 'commander';
import { systemClock, toInstant } from '../base/clock.ts';
import { EngineError } from '../base/errors.ts';
import type { UnreadableMessage } from '../store/reading.ts';
import type { MessageSummary, Store } from '../store/store.ts';
import { refuseUnknown } from './account-list.ts';
import type { CliContext } from './context.ts';
import { register as messageExport } from './message-export.ts';
import { register as messageShow } from './message-show.ts';
import { numberArgument } from './number-argument.ts';
import { type Cell, formatTable } from './table.ts';

export function register(program: Command, context: CliContext): void {
  const message = program.command('message').description('messages: list, show, export, retry');
  message
    .command('list')
    .description('newest messages first')
    .option('--account <acntid>', 'of this account', numberArgument('--account'))
    .option('--folder <emfdid>', 'of this folder', numberArgument('--folder'))
    .option('--unread-by-parser', 'those that could not be read, with the reason; their bytes are stored all the same')
    .option('--limit <count>', 'so many', numberArgument('--limit'), 50)
    .option('--json', 'print JSON')
    .action((options: ListOptions) => (options.unreadByParser ? listUnreadable : list)(context, options));
  messageShow(message, context);
  messageExport(message, context);
  message
    .command('retry <emfdid> [uid]')
    .description('try a quarantined message again at the next pass; without UID all of the folder')
    .action((emfdid: string, uid?: string) =>
      retry(context, numberArgument('EMFDID')(emfdid), uid === undefined ? null : numberArgument('UID')(uid)),
    );
}

async function retry(context: CliContext, emfdid: number, uid: number | null): Promise<void> {
  const count = await context.withStore((store) => store.retryQuarantined(emfdid, uid, toInstant(systemClock())));
  context.say(`${count} to be tried again at the next pass`);
}

interface ListOptions {
  readonly account?: number;
  readonly folder?: number;
  readonly unreadByParser?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

interface Filter {
  readonly acntid?: number;
  readonly emfdid?: number;
  readonly limit: number;
}

async function list(context: CliContext, options: ListOptions): Promise<void> {
  const messages = await context.withStore(async (store) => store.messages(await filterOf(store, options)));
  printRows(context, options.json === true, messages, row);
}

async function listUnreadable(context: CliContext, options: ListOptions): Promise<void> {
  const messages = await context.withStore(async (store) => store.unreadable(await filterOf(store, options)));
  printRows(context, options.json === true, messages, unreadableRow);
}

/** What does not exist is a slip, not an empty account or folder. */
async function filterOf(store: Store, { account, folder, limit }: ListOptions): Promise<Filter> {
  await refuseUnknown(store, account);
  const found = folder === undefined ? undefined : await store.folder(folder);
  if (folder !== undefined && (!found || found.acntid !== (account ?? found.acntid)))
    throw new EngineError('not_found', `folder ${folder}${account === undefined ? '' : ` of account ${account}`}`);
  return {
    limit,
    ...(account === undefined ? {} : { acntid: account }),
    ...(folder === undefined ? {} : { emfdid: folder }),
  };
}

function printRows<Row>(
  context: CliContext,
  isJson: boolean,
  rows: readonly Row[],
  toCells: (row: Row) => Readonly<Record<string, Cell>>,
): void {
  const asTable = (): string => (rows.length === 0 ? 'no messages' : formatTable(rows.map(toCells)));
  context.print(isJson ? JSON.stringify(rows, null, 2) : asTable());
}

const row = ({ id, acntid, emfdid, uid, internalDate, flags, size, from, subject }: MessageSummary) => ({
  id,
  acntid,
  emfdid,
  uid,
  date: internalDate?.slice(0, 16) ?? null,
  flags,
  size,
  from: from[0]?.name || (from[0]?.address ?? null),
  subject: subject === null ? null : subject.slice(0, 60),
});

const unreadableRow = ({ id, acntid, emfdid, readerVersion, subject, reason }: UnreadableMessage) => ({
  id,
  acntid,
  emfdid,
  reader: readerVersion,
  subject: subject === null ? null : subject.slice(0, 60),
  reason,
});
