/** `search WORDS`: messages that have all the words, newest first. */
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { SearchHit, SearchQuery } from '../store/search.ts';
import type { Store } from '../store/store.ts';
import { refuseUnknown } from './account-list.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { formatTable } from './table.ts';

interface Options {
  readonly account?: number;
  readonly folder?: string;
  readonly since?: string;
  readonly from?: string;
  readonly limit: number;
  readonly json?: boolean;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('search <words...>')
    .description('messages that have all the words, newest first: word, "a phrase", begin*; after -- also -without')
    .option('--account <acntid>', 'of this account', numberArgument('--account'))
    .option('--folder <path>', 'in this folder')
    .option('--since <date>', 'received on this day (2026-11-24) or later')
    .option('--from <words>', 'words of the sender: name or address')
    .option('--limit <count>', 'so many', numberArgument('--limit'), 50)
    .option('--json', 'print JSON')
    .action((words: string[], options: Options) => search(context, words, options));
}

async function search(context: CliContext, words: readonly string[], options: Options): Promise<void> {
  const { account, folder, since, from, limit, json } = options;
  const query: SearchQuery = {
    words: words.join(' '),
    limit,
    ...(account === undefined ? {} : { acntid: account }),
    ...(folder === undefined ? {} : { path: folder }),
    ...(since === undefined ? {} : { since: instantOf(since) }),
    ...(from === undefined ? {} : { from }),
  };
  const hits = await context.withStore(async (store) => {
    await refuseUnknown(store, account);
    const found = await store.search(query);
    if (found.length === 0 && folder !== undefined) await refuseUnknownFolder(store, account, folder);
    return found;
  });
  if (json) return context.print(JSON.stringify(hits, null, 2));
  context.print(hits.length === 0 ? 'nothing found' : formatTable(hits.map(row)));
}

/** A slip in a path would look like mail that is not there. */
async function refuseUnknownFolder(store: Store, acntid: number | undefined, path: string): Promise<void> {
  const wanted = /^inbox$/i.test(path) ? 'INBOX' : path;
  if (acntid === undefined) {
    if (await store.hasFolderAt(wanted)) return;
    throw new EngineError('not_found', `No account has a folder ${JSON.stringify(path)}.`);
  }
  const folders = await store.folders(acntid, { withRetired: true });
  if (folders.every((one) => one.path !== wanted))
    throw new EngineError('not_found', `Account ${acntid} has no folder ${JSON.stringify(path)}.`);
}

function instantOf(text: string): string {
  const date = new Date(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(date.getTime()))
    throw new EngineError('usage', `--since must be a date like 2026-11-24, not ${JSON.stringify(text)}.`);
  return date.toISOString();
}

const row = ({ id, acntid, path, internalDate, from, subject, snippet }: SearchHit) => ({
  id,
  acntid,
  folder: path,
  date: internalDate?.slice(0, 16) ?? null,
  from: from[0]?.name || (from[0]?.address ?? null),
  subject: subject === null ? null : subject.slice(0, 50),
  found: snippet.slice(0, 120),
});
