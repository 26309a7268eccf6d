/** `message list`, `show`, `export` and `retry`. */
import type { Command } from 'commander';
import { systemClock, toInstant } from '../base/clock.ts';
import { EngineError } from '../base/errors.ts';
import type { MessageSummary, Store } from '../store/store.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { formatTable } from './table.ts';

export function register(program: Command, context: CliContext): void {
  const message = program.command('message').description('messages: list, show, export, retry');
  message
    .command('list')
    .description('newest messages first')
    .option('--account <acntid>', 'of this account', numberArgument('--account'))
    .option('--folder <emfdid>', 'of this folder', numberArgument('--folder'))
    .option('--limit <count>', 'so many', numberArgument('--limit'), 50)
    .option('--json', 'print JSON')
    .action((options: ListOptions) => list(context, options));
  message
    .command('show <id>')
    .description('header fields and placement')
    .option('--json', 'print JSON')
    .action((id: string, options: { json?: boolean }) =>
      show(context, numberArgument('ID')(id), options.json === true),
    );
  message
    .command('export <id>')
    .description('the raw bytes, on stdout')
    .action((id: string) => exportRaw(context, numberArgument('ID')(id)));
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
  readonly limit: number;
  readonly json?: boolean;
}

async function list(context: CliContext, { account, folder, limit, json }: ListOptions): Promise<void> {
  const filter = {
    limit,
    ...(account === undefined ? {} : { acntid: account }),
    ...(folder === undefined ? {} : { emfdid: folder }),
  };
  const messages = await context.withStore((store) => store.messages(filter));
  context.print(
    json ? JSON.stringify(messages, null, 2) : messages.length === 0 ? 'no messages' : formatTable(messages.map(row)),
  );
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

async function summaryOf(store: Store, id: number): Promise<MessageSummary> {
  const [summary] = await store.messages({ limit: 1, beforeId: id + 1 });
  if (summary?.id !== id) throw new EngineError('not_found', `No message ${id}.`);
  return summary;
}

async function show(context: CliContext, id: number, isJson: boolean): Promise<void> {
  const summary = await context.withStore((store) => summaryOf(store, id));
  if (isJson) return context.print(JSON.stringify(summary, null, 2));
  const fields = {
    ...summary,
    from: summary.from.map(({ name, address }) => (name === '' ? address : `${name} <${address}>`)).join(', '),
  };
  context.print(formatTable(Object.entries(fields).map(([field, value]) => ({ field, value }))));
}

async function exportRaw(context: CliContext, id: number): Promise<void> {
  const raw = await context.withStore((store) => store.raw(id));
  if (!raw) throw new EngineError('not_found', `No message ${id}.`);
  await new Promise<void>((resolve) => context.stdout.write(raw, () => resolve()));
}
