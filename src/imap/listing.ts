/** The folders of an account: one LIST-STATUS, or LIST and a STATUS each. */
import type { ImapFlow, ListResponse, StatusObject } from 'imapflow';
import { needsWireName, type WireNames } from './corrections.ts';
import type { FolderListing, FolderStatus, ObservedFolder } from './session.ts';

const statusQuery = { messages: true, uidNext: true, uidValidity: true, highestModseq: true, unseen: true } as const;

export interface ListingInput {
  readonly client: ImapFlow;
  readonly withStatus: boolean;
  readonly run: <T>(what: string, work: () => Promise<T>) => Promise<T>;
  /** How many answers the parser had to drop so far. */
  readonly droppedCount: () => number;
  readonly wireNames: WireNames;
}

export async function listFolders({
  client,
  withStatus,
  run,
  droppedCount,
  wireNames,
}: ListingInput): Promise<FolderListing> {
  const droppedBefore = droppedCount();
  const entries = await run('LIST', () => client.list(withStatus ? { statusQuery, listOnly: false } : {}));
  for (const { path, pathAsListed } of entries) if (needsWireName(path)) wireNames.set(path, pathAsListed);
  const folders = unique(entries.filter((entry) => entry.path !== '')).map((entry) => observed(entry, withStatus));
  const isComplete = droppedCount() === droppedBefore && folders.some((folder) => folder.path === 'INBOX');
  return { folders, isComplete };
}

/** `INBOX` and `inbox` are the same folder (RFC 9051 5.1); a path listed twice is one folder. */
function unique(entries: readonly ListResponse[]): ListResponse[] {
  const byPath = new Map<string, ListResponse>();
  for (const entry of entries) {
    const path = normalPath(entry.path);
    if (!byPath.has(path)) byPath.set(path, entry);
  }
  return [...byPath.values()];
}

const normalPath = (path: string): string => (path.toUpperCase() === 'INBOX' ? 'INBOX' : path);

function observed(entry: ListResponse, withStatus: boolean): ObservedFolder {
  const attributes = [...entry.flags].map((flag) => flag.toLowerCase());
  const isSelectable = !attributes.includes('\\noselect') && !attributes.includes('\\nonexistent');
  return {
    path: normalPath(entry.path),
    delimiter: entry.delimiter || null,
    role: entry.specialUse ? entry.specialUse.replace(/^\\/, '').toLowerCase() : null,
    isSelectable,
    mailboxId: null,
    status: isSelectable && withStatus ? toStatus(entry.status) : null,
  };
}

/** imapflow answers a refused STATUS with an object that holds the error, or nothing. */
export function toStatus(status: StatusObject | undefined | false): FolderStatus | null {
  if (!status || typeof status.messages !== 'number') return null;
  return {
    messages: status.messages,
    uidNext: positive(status.uidNext),
    uidValidity: positive(status.uidValidity),
    highestModseq: typeof status.highestModseq === 'bigint' && status.highestModseq > 0n ? status.highestModseq : null,
    unseen: typeof status.unseen === 'number' ? status.unseen : null,
  };
}

/** 0 and absent both mean that the server does not say. */
export function positive(value: number | bigint | undefined): number | null {
  const number = Number(value ?? 0);
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}
