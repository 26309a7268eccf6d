/** `message export`: one message or one of its parts on stdout, or whole folders as mbox or Maildir. */
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { Store } from '../store/store.ts';
import { accountOf } from './account-list.ts';
import type { CliContext } from './context.ts';
import type { ExportScope, ExportStep } from './export-messages.ts';
import { numberArgument } from './number-argument.ts';
import { writingTo } from './target.ts';

interface Options {
  readonly part?: string;
  readonly mbox?: string;
  readonly maildir?: string;
  readonly account?: number;
  readonly folder?: string;
}

export function register(message: Command, context: CliContext): void {
  message
    .command('export [id]')
    .description('the raw bytes of a message, or of one part, on stdout; or a whole account or folder')
    .option('--part <number>', 'this part, decoded; numbers as `message show` has them')
    .option('--mbox <file>', 'all messages into an mbox file (mboxrd)')
    .option('--maildir <dir>', 'all messages into a Maildir; completes one that is there')
    .option('--account <acntid>', 'with --mbox and --maildir: of this account', numberArgument('--account'))
    .option('--folder <path>', 'only of this folder')
    .action((id: string | undefined, options: Options) => exportAny(context, id, options));
}

function exportAny(context: CliContext, id: string | undefined, options: Options): Promise<void> {
  const isFolder = options.mbox !== undefined || options.maildir !== undefined;
  if (isFolder === (id !== undefined))
    throw new EngineError('usage', 'Name a message, or --mbox FILE or --maildir DIR.');
  return id === undefined
    ? exportFolders(context, options)
    : exportOne(context, numberArgument('ID')(id), options.part);
}

async function exportOne(context: CliContext, id: number, part: string | undefined): Promise<void> {
  const raw = await context.withStore((store) => store.raw(id));
  if (!raw) throw new EngineError('not_found', `No message ${id}.`);
  const bytes = part === undefined ? raw : await partOf(raw, id, part);
  await new Promise<void>((resolve) => context.stdout.write(bytes, () => resolve()));
}

async function partOf(raw: Uint8Array, id: number, part: string): Promise<Buffer> {
  const { exportPart } = await import('../mime/export-part.ts');
  const bytes = exportPart(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength), part);
  if (!bytes) throw new EngineError('not_found', `Message ${id} has no part ${part}.`);
  return bytes;
}

async function exportFolders(context: CliContext, options: Options): Promise<void> {
  const { mbox, maildir, account, folder } = options;
  if (account === undefined) throw new EngineError('usage', 'Name the account: --account ACNTID.');
  if (mbox !== undefined && maildir !== undefined) throw new EngineError('usage', 'Either --mbox or --maildir.');
  const count = await context.withStore(async (store) => {
    const scope = await scopeOf(store, account, folder);
    const onStep = progressOf(context, await store.exportCount(scope));
    const target = mbox ?? maildir ?? '';
    const { exportMbox } = await import('./export-mbox.ts');
    const { exportMaildir } = await import('./export-maildir.ts');
    return writingTo(target, () => (mbox === undefined ? exportMaildir : exportMbox)(store, scope, target, onStep));
  });
  if (context.isTerminal) context.stderr.write('\r\u001b[K');
  context.say(`${count} messages exported`);
}

async function scopeOf(store: Store, acntid: number, path: string | undefined): Promise<ExportScope> {
  await accountOf(store, acntid);
  if (path === undefined) return { acntid };
  const wanted = /^inbox$/i.test(path) ? 'INBOX' : path;
  const folder = (await store.folders(acntid, { withRetired: true })).find((one) => one.path === wanted);
  if (!folder) throw new EngineError('not_found', `Account ${acntid} has no folder ${JSON.stringify(path)}.`);
  return { acntid, emfdid: folder.emfdid };
}

const stepsBetweenLines = 50;

function progressOf(context: CliContext, total: number): ExportStep {
  return (count) => {
    if (context.isTerminal && count % stepsBetweenLines === 0)
      context.stderr.write(`\r\u001b[K${count} of ${total} messages`);
  };
}
