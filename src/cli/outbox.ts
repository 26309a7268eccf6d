/** `outbox list`, `show`, `retry`, `cancel`, `hold` and `resolve`: what waits, what became of it, and what people decide. */
import type { Command } from 'commander';
import { systemClock, toInstant } from '../base/clock.ts';
import { EngineError } from '../base/errors.ts';
import type { OutboxAction, OutboxState } from '../store/outbox-entry.ts';
import type { OutboxSummary } from '../store/outbox-view.ts';
import { refuseUnknown } from './account-list.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { register as registerSend } from './outbox-send.ts';
import { showEntry } from './outbox-show.ts';
import { formatTable } from './table.ts';

export function register(program: Command, context: CliContext): void {
  const outbox = program
    .command('outbox')
    .description('mail going out: list, show, send, retry, cancel, hold, resolve');
  outbox
    .command('list')
    .description('entries, newest first')
    .option('--account <acntid>', 'of one account', numberArgument('--account'))
    .option('--state <states>', `only these, separated by commas: ${states.join(', ')}`)
    .option('--limit <count>', 'at most so many', numberArgument('--limit'), 50)
    .option('--json', 'print JSON')
    .action((options: ListOptions) => list(context, options));
  outbox
    .command('show <id>')
    .description('one entry, its recipients and its attempts')
    .option('--json', 'print JSON')
    .option('--raw', 'the bytes that were or will be sent, on stdout')
    .action((id: string, options: { json?: boolean; raw?: boolean }) =>
      showEntry(context, numberArgument('ID')(id), options),
    );
  registerSend(outbox, context);
  for (const [action, description] of actions)
    outbox
      .command(`${action} <id>`)
      .description(description)
      .action((id: string) => change(context, numberArgument('ID')(id), action));
  outbox
    .command('hold [id]')
    .description('do not send until `outbox retry`')
    .option('--all', 'all that waits, of every account: before the first launch on a restored backup')
    .action((id: string | undefined, options: { all?: boolean }) => hold(context, id, options.all === true));
  outbox
    .command('resolve <id>')
    .description('settle an entry of which nobody knows whether it was sent')
    .option('--sent', 'it was: it counts as delivered')
    .option('--resend', 'it was not: the same mail is sent again')
    .action((id: string, options: ResolveOptions) => resolve(context, numberArgument('ID')(id), options));
}

const states: readonly OutboxState[] = [
  'queued',
  'held',
  'sending',
  'delivered',
  'deferred',
  'rejected',
  'unknown',
  'cancelled',
];

const actions: readonly (readonly [OutboxAction, string])[] = [
  ['retry', 'try now: refused and put-off recipients too, and what was held or cancelled'],
  ['cancel', 'do not send; of a mail that some have, do not send it to the others'],
];

interface ListOptions {
  readonly account?: number;
  readonly state?: string;
  readonly limit: number;
  readonly json?: boolean;
}

interface ResolveOptions {
  readonly sent?: boolean;
  readonly resend?: boolean;
}

async function list(context: CliContext, { account, state, limit, json }: ListOptions): Promise<void> {
  const filter = {
    limit,
    ...(account === undefined ? {} : { acntid: account }),
    ...(state === undefined ? {} : { states: statesIn(state) }),
  };
  const entries = await context.withStore(async (store) => {
    await refuseUnknown(store, account);
    return store.outboxEntries(filter);
  });
  const text = entries.length === 0 ? 'no entries' : formatTable(entries.map(row));
  context.print(json ? JSON.stringify(entries, null, 2) : text);
}

function statesIn(text: string): OutboxState[] {
  const isState = (word: string): word is OutboxState => states.some((state) => state === word);
  return text.split(',').map((word) => {
    const given = word.trim();
    if (!isState(given))
      throw new EngineError('usage', `--state: ${JSON.stringify(given)} is none of ${states.join(', ')}.`);
    return given;
  });
}

const row = (entry: OutboxSummary) => ({
  id: entry.id,
  acntid: entry.acntid,
  state: entry.state,
  created: entry.createdAt.slice(0, 16),
  next: (entry.nextAttemptAt ?? entry.sendAfter)?.slice(0, 16) ?? null,
  tries: entry.attemptCount,
  subject: entry.subject === null ? null : entry.subject.slice(0, 50),
  last_error: entry.lastError === null ? null : entry.lastError.slice(0, 60),
});

async function change(context: CliContext, id: number, action: OutboxAction): Promise<void> {
  await context.withStore((store) => store.changeOutbox(id, action, toInstant(systemClock())));
}

async function hold(context: CliContext, id: string | undefined, isAll: boolean): Promise<void> {
  if ((id === undefined) !== isAll) throw new EngineError('usage', 'Name an entry, or say --all.');
  if (id !== undefined) return change(context, numberArgument('ID')(id), 'hold');
  const count = await context.withStore((store) => store.holdWaiting());
  context.say(`${count} entries are held`);
}

async function resolve(context: CliContext, id: number, { sent, resend }: ResolveOptions): Promise<void> {
  if ((sent === true) === (resend === true)) throw new EngineError('usage', 'Say either --sent or --resend.');
  await context.withStore((store) => store.resolveUnknown(id, sent ? 'sent' : 'resend', toInstant(systemClock())));
}
