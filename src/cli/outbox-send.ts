/** `outbox send`: puts a mail into the outbox, of options or of standard input. What cannot be sent is refused here, at once. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { NewOutboxEntry, OutboxColumns } from '../store/outbox-entry.ts';
import type { Store } from '../store/store.ts';
import { accountOf } from './account-list.ts';
import type { CliContext } from './context.ts';
import { instantArgument } from './instant-argument.ts';
import { numberArgument } from './number-argument.ts';

interface Options {
  readonly account: number;
  readonly to?: string[];
  readonly cc?: string[];
  readonly bcc?: string[];
  readonly from?: string;
  readonly replyTo?: string;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly attach?: string[];
  readonly header?: string[];
  readonly inReplyTo?: number;
  readonly raw?: boolean;
  readonly sendAfter?: string;
  readonly priority: number;
  readonly key?: string;
  readonly hold?: boolean;
  readonly json?: boolean;
}

export function register(outbox: Command, context: CliContext): void {
  outbox
    .command('send')
    .description('put a mail into the outbox; prints the number of its entry')
    .requiredOption('--account <acntid>', 'the account that sends it', numberArgument('--account'))
    .option('--to <address...>', 'recipients: "Bob <bob@example.com>" or bob@example.com')
    .option('--cc <address...>', 'copies')
    .option('--bcc <address...>', 'copies that nobody sees')
    .option('--from <address>', 'another sender than the account’s own')
    .option('--reply-to <address>', 'where answers go')
    .option('--subject <text>', 'may be empty')
    .option('--text <text>', 'the body; else it is read from standard input')
    .option('--html <text>', 'the body as HTML')
    .option('--attach <file...>', 'files, read now')
    .option('--header <field...>', 'further header fields: "List-Id: <x.example.com>"')
    .option('--in-reply-to <id>', 'the message that this answers (email_messages.id)', numberArgument('--in-reply-to'))
    .option('--raw', 'standard input is the whole message')
    .option('--send-after <time>', 'not before, such as 2026-11-24T08:00:00Z or 2026-11-24T09:00:00+01:00')
    .option('--priority <number>', 'higher first', wholeNumber, 0)
    .option('--key <key>', 'idempotency key: the same twice is one mail, and prints the same number')
    .option('--hold', 'only put it there; `outbox retry` lets it go')
    .option('--json', 'print {"id":N,"isNew":true}')
    .action((options: Options) => send(context, options));
}

function wholeNumber(given: string): number {
  if (!/^-?\d{1,9}$/.test(given))
    throw new EngineError('usage', `--priority must be a whole number, not ${JSON.stringify(given)}.`);
  return Number(given);
}

async function send(context: CliContext, options: Options): Promise<void> {
  const columns = options.raw ? await rawColumns(context, options) : await mailColumns(context, options);
  const entry: NewOutboxEntry = {
    acntid: options.account,
    state: options.hold ? 'held' : 'queued',
    columns,
    idempotencyKey: options.key ?? null,
    priority: options.priority,
    sendAfter: options.sendAfter === undefined ? null : instantArgument('--send-after', options.sendAfter),
  };
  const { config } = await context.loadConfig();
  const result = await context.withStore(async (store) => {
    await tryToCompose(store, entry, config.EMAIL_OUTBOX_MAX_MESSAGE_BYTES);
    return store.enqueueOutbox(entry);
  });
  context.print(options.json ? JSON.stringify(result) : `${result.id}`);
}

const list = (addresses: readonly string[] | undefined): string | null =>
  addresses === undefined ? null : JSON.stringify(addresses);

const envelopeColumns = ({ to, cc, bcc, inReplyTo }: Options): Partial<OutboxColumns> => ({
  toAddresses: list(to),
  ccAddresses: list(cc),
  bccAddresses: list(bcc),
  inReplyToId: inReplyTo ?? null,
});

async function rawColumns(context: CliContext, options: Options): Promise<Partial<OutboxColumns>> {
  const others = ['from', 'replyTo', 'subject', 'text', 'html', 'attach', 'header'] as const;
  const given = others.filter((name) => options[name] !== undefined);
  if (given.length > 0)
    throw new EngineError('usage', `--raw has no use for ${given.map((name) => `--${name}`).join(', ')}.`);
  return { ...envelopeColumns(options), raw: await buffer(context.stdin) };
}

async function mailColumns(context: CliContext, options: Options): Promise<Partial<OutboxColumns>> {
  const hasBody = options.text !== undefined || options.html !== undefined;
  const bodyText = hasBody ? (options.text ?? null) : await text(context.stdin);
  return {
    ...envelopeColumns(options),
    fromAddress: options.from ?? null,
    replyTo: options.replyTo ?? null,
    subject: options.subject ?? '',
    bodyText,
    bodyHtml: options.html ?? null,
    attachments: options.attach === undefined ? null : JSON.stringify(options.attach.map(attachment)),
    headers: options.header === undefined ? null : JSON.stringify(options.header.map(headerField)),
  };
}

/** Read with the rights of whoever types the command, so it needs no EMAIL_ATTACHMENT_ROOT. */
function attachment(file: string): { filename: string; content: string } {
  try {
    return { filename: basename(file), content: readFileSync(file).toString('base64') };
  } catch (error) {
    throw new EngineError('usage', `--attach: ${file} cannot be read: ${error instanceof Error ? error.message : ''}`);
  }
}

function headerField(given: string): { name: string; value: string } {
  const match = /^([^:\s]+):\s*([\s\S]*)$/.exec(given);
  if (!match) throw new EngineError('usage', `--header: expected "Name: value", not ${JSON.stringify(given)}.`);
  return { name: match[1] ?? '', value: match[2] ?? '' };
}

/** As the outbox will, to find what is wrong while somebody is there to read it. Throws outbox_invalid. */
async function tryToCompose(store: Store, entry: NewOutboxEntry, bytesMax: number): Promise<void> {
  const { compose } = await import('../outbox/compose.ts');
  const { loadAttachments } = await import('../outbox/attachments.ts');
  const account = await accountOf(store, entry.acntid);
  const columns = { ...emptyColumns, ...entry.columns };
  const id = columns.inReplyToId;
  const answered = id === null ? null : await store.answeredMessage(entry.acntid, id);
  if (answered === undefined) throw new EngineError('not_found', `The account has no message ${id}.`);
  const ports = { store, attachmentRoot: null, bytesMax };
  const now = new Date();
  const asEntry = { ...noAttempts, acntid: entry.acntid, columns, createdAt: now.toISOString() };
  const attachments = await loadAttachments(ports, asEntry);
  compose({ columns, account, id: randomUUID(), date: now, answered, attachments, bytesMax });
}

const noAttempts = { id: 0, isComposed: false, sendAfter: null, attemptCount: 0, firstAttemptAt: null, pending: [] };

const emptyColumns: OutboxColumns = {
  smtpFrom: null,
  recipients: null,
  fromAddress: null,
  toAddresses: null,
  ccAddresses: null,
  bccAddresses: null,
  replyTo: null,
  inReplyToId: null,
  raw: null,
  subject: null,
  bodyText: null,
  bodyHtml: null,
  headers: null,
  attachments: null,
  messageIdHeader: null,
};
