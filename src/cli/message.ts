/** `message list` and `retry`; `show` and `export` have files of their own. */
import type { Command } from 'commander';
import { systemClock, toInstant } from '../base/clock.ts';
import type { UnreadableMessage } from '../store/reading.ts';
import type { MessageSummary } from '../store/store.ts';
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
    .command('retry <emfdid> <uid>')
    .description('try a quarantined message again at the next pass')
    .action((emfdid: string, uid: string) =>
      context.withStore((store) =>
        store.retryQuarantined(numberArgument('EMFDID')(emfdid), numberArgument('UID')(uid), toInstant(systemClock())),
      ),
    );
}

interface ListOptions {
  readonly account?: number;
  readonly folder?: number;
  readonly unreadByParser?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

async function list(context: CliContext, { account, folder, limit, json }: ListOptions): Promise<void> {
  const filter = {
    limit,
    ...(account === undefined ? {} : { acntid: account }),
    ...(folder === undefined ? {} : { emfdid: folder }),
  };
  const messages = await context.withStore(async (store) => {
    await refuseUnknown(store, account);
    return store.messages(filter);
  });
  printRows(context, json === true, messages, row);
}

async function listUnreadable(context: CliContext, { account, limit, json }: ListOptions): Promise<void> {
  const filter = { limit, ...(account === undefined ? {} : { acntid: account }) };
  const messages = await context.withStore(async (store) => {
    await refuseUnknown(store, account);
    return store.unreadable(filter);
  });
  printRows(context, json === true, messages, unreadableRow);
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
