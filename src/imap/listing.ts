/** The folders of an account: one LIST-STATUS, or LIST and a STATUS each. */
import type { ImapFlow, ListResponse, StatusObject } from 'imapflow';
import { asEngineError, EngineError } from '../base/errors.ts';
import type { RunCommand } from './command.ts';
import { encodeName, type ListedName, pathsOf } from './folder-name.ts';
import { encodingOf, libraryName, type WireNames } from './library-name.ts';
import { toModseqOrNull } from './rows.ts';
import type { FolderListing, FolderStatus, ObservedFolder } from './session.ts';

const statusQuery = { messages: true, uidNext: true, uidValidity: true, highestModseq: true, unseen: true } as const;

/** A LIST under way. */
export interface AskedListing {
  /** Each folder's status comes with it. */
  readonly isInline: boolean;
  readonly droppedBefore: number;
  readonly entries: Promise<ListResponse[]>;
}

export interface ListingInput {
  readonly client: ImapFlow;
  readonly withStatus: boolean;
  readonly run: RunCommand;
  /** How many answers the parser had to drop so far. */
  readonly droppedCount: () => number;
  readonly wireNames: WireNames;
  /** Asked for before: then this is about its answer. */
  readonly asked?: AskedListing | null;
}

/** Not awaited, it fails without a word. */
export function askListing({
  client,
  withStatus,
  droppedCount,
}: Pick<ListingInput, 'client' | 'withStatus' | 'droppedCount'>): AskedListing {
  const isInline = withStatus && hasListStatus(client);
  const droppedBefore = droppedCount();
  const entries = client.list(isInline ? { statusQuery, listOnly: false } : {});
  entries.catch(() => undefined);
  return { isInline, droppedBefore, entries };
}

const hasListStatus = ({ capabilities }: ImapFlow): boolean =>
  capabilities.has('LIST-STATUS') || capabilities.has('IMAP4rev2');

export async function listFolders(input: ListingInput): Promise<FolderListing> {
  const { client, withStatus, run, droppedCount, wireNames } = input;
  const { isInline, droppedBefore, entries: answer } = input.asked ?? askListing(input);
  const entries = await run('LIST', () => answer, 'as it comes');
  // All would seem well, and no mail come any more.
  if (entries.length === 0) throw new EngineError('protocol_violation', 'LIST: the server names no folder');
  const encoding = encodingOf(client);
  const named = nameApart(entries, pathsOf(entries.map(toListedName), encoding));
  for (const { path, pathAsListed } of named)
    if (encodeName(path, encoding) === pathAsListed) wireNames.delete(path);
    else wireNames.set(path, pathAsListed);
  const folders = named.map((entry) => observed(entry, isInline));
  const isComplete = droppedCount() === droppedBefore && folders.some((folder) => folder.path === 'INBOX');
  return { folders: withStatus && !isInline ? await withStatuses(input, folders) : folders, isComplete };
}

const toListedName = ({ pathAsListed, delimiter }: ListResponse): ListedName => ({ listed: pathAsListed, delimiter });

const endsAll: ReadonlySet<string> = new Set(['connection_lost', 'throttled', 'aborted']);

/** A command for each, with a deadline of its own: a server may take a second for every folder. */
async function withStatuses(input: ListingInput, folders: readonly ObservedFolder[]): Promise<ObservedFolder[]> {
  const asked: ObservedFolder[] = [];
  for (const folder of folders)
    asked.push(folder.isSelectable ? { ...folder, status: await statusOf(input, folder.path) } : folder);
  return asked;
}

/** A refusal, which the library gives as false or an error of its own, is no reason to stop: opening the folder will tell. */
async function statusOf({ client, run, wireNames }: ListingInput, path: string): Promise<FolderStatus | null> {
  try {
    const name = libraryName(client, wireNames, path);
    const status = await run('STATUS', () => client.status(name, statusQuery));
    if (!client.usable) throw new EngineError('connection_lost', 'STATUS');
    return toStatus(status);
  } catch (error) {
    const failure = asEngineError(error);
    if (client.usable && !endsAll.has(failure.code)) return null;
    throw failure;
  }
}

/**
 * `INBOX` and `inbox` are the same folder (RFC 9051 5.1), and a name listed twice is one folder, no container if one line says so. The
 * library attaches what STATUS said by its own reading of the names: where it took two for one, nobody knows which of them it was about.
 */
function nameApart(entries: readonly ListResponse[], paths: ReadonlyMap<string, string>): ListResponse[] {
  const named = new Map<string, ListResponse>();
  const pathsRead = new Map<string, Set<string>>();
  for (const entry of entries) {
    const path = paths.get(entry.pathAsListed) ?? '';
    if (path === '') continue;
    pathsRead.set(entry.path, (pathsRead.get(entry.path) ?? new Set()).add(path));
    const before = named.get(path);
    if (!before || (!isSelectable(before) && isSelectable(entry))) named.set(path, entry);
  }
  return [...named].map(([path, entry]) => {
    const isAlone = pathsRead.get(entry.path)?.size === 1;
    return { ...(isAlone ? entry : withoutStatus(entry)), path };
  });
}

function withoutStatus(entry: ListResponse): ListResponse {
  const { status: _, ...rest } = entry;
  return rest;
}

function isSelectable({ flags }: ListResponse): boolean {
  const attributes = [...flags].map((flag) => flag.toLowerCase());
  return !attributes.includes('\\noselect') && !attributes.includes('\\nonexistent');
}

function observed(entry: ListResponse, withStatus: boolean): ObservedFolder {
  return {
    path: entry.path,
    delimiter: entry.delimiter || null,
    role: entry.specialUse ? entry.specialUse.replace(/^\\/, '').toLowerCase() : null,
    isSelectable: isSelectable(entry),
    mailboxId: null,
    status: isSelectable(entry) && withStatus ? toStatus(entry.status) : null,
  };
}

/** imapflow answers a refused STATUS with an object that holds the error, or nothing. */
export function toStatus(status: StatusObject | undefined | false): FolderStatus | null {
  if (!status || typeof status.messages !== 'number') return null;
  return {
    messages: status.messages,
    uidNext: positive(status.uidNext),
    uidValidity: positive(status.uidValidity),
    highestModseq: toModseqOrNull(status.highestModseq),
    unseen: typeof status.unseen === 'number' ? status.unseen : null,
  };
}

/** 0 and absent both mean that the server does not say. */
export function positive(value: number | bigint | undefined): number | null {
  const number = Number(value ?? 0);
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}
