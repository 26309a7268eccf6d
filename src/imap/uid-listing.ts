/**
 * Which UIDs the open folder has, and which of them are large. Where few can have come, one FETCH tells UIDs, flags and
 * sizes in the round trip that a SEARCH takes for the UIDs alone; sizes once heard are not asked for again.
 */
import type { FetchQueryObject, ImapFlow } from 'imapflow';
import { EngineError } from '../base/errors.ts';
import { type UidSet, uidSetOf, unionUids } from '../base/uid-set.ts';
import type { RunCommand } from './command.ts';
import type { RowFetcher } from './fetch-rows.ts';
import type { MessageLimit } from './message-limit.ts';
import { type FlagItems, isAsked } from './rows.ts';
import type { Asked } from './uid-ranges.ts';
import { unlessRefused } from './unless-refused.ts';

export interface UidListingInput {
  readonly client: ImapFlow;
  readonly run: RunCommand;
  readonly fetcher: RowFetcher;
  readonly limit: MessageLimit;
}

export interface UidListing {
  listUids(range: Asked): Promise<UidSet>;
  /** Never by FETCH, unless SEARCH is refused. */
  searchUids(range: Asked): Promise<UidSet>;
  listLarger(uids: UidSet, bytes: number): Promise<UidSet>;
  /** The size as the server announced it. */
  noteSize(items: FlagItems): void;
  /** Another folder is open. */
  forget(): void;
  /** What was listed from `first` on while the folder was opened; for the next `listUids`. */
  readonly know: (first: number, sizes: ReadonlyMap<number, number>) => void;
}

/** A FETCH row is some 60 bytes longer than a number in a SEARCH answer: beyond this a round trip is cheaper. */
const fetchCountMax = 100;
/** Sizes kept: so many are some hundred kilobytes. */
const sizeCountMax = 5000;

const sizeQuery: FetchQueryObject = { uid: true, flags: true, size: true };

export function createUidListing({ client, run, fetcher, limit }: UidListingInput): UidListing {
  let sizes = new Map<number, number>();
  let known: { readonly first: number; readonly uids: UidSet } | null = null;
  const noteSize = ({ uid, size = 0 }: FlagItems): void => {
    if (size > 0 && sizes.size < sizeCountMax) sizes.set(uid, size);
  };

  /** SEARCH, and FETCH where a server refuses it. imapflow answers a refused SEARCH with false. */
  const search = async (set: string, bytes?: number): Promise<number[]> => {
    if (!client.mailbox) throw new EngineError('connection_lost', 'SEARCH: the folder is not open any more');
    const query = bytes === undefined ? { uid: set } : { uid: set, larger: bytes };
    const { exists } = client.mailbox;
    const found = await run('SEARCH', () => client.search(query, { uid: true }), exists);
    if (found) return found;
    if (exists === 0) return [];
    const rows: number[] = [];
    const read = async (): Promise<void> => {
      for await (const { uid, size = 0 } of client.fetch(set, sizeQuery, { uid: true }))
        if (bytes === undefined || size > bytes) rows.push(uid);
    };
    await run('FETCH SIZE', read, exists);
    return rows;
  };

  const searchUids = async (range: Asked): Promise<UidSet> => {
    let found: UidSet = [];
    await limit.askAll(range, async (set) => {
      found = unionUids(found, uidSetOf((await search(set)).filter((uid) => isAsked(range, uid))));
    });
    return found;
  };

  return {
    async listUids(range) {
      const { first, uids } = known ?? {};
      known = null;
      if (uids && 'first' in range && range.first === first) return uids;
      if (!isShort(client, range)) return searchUids(range);
      const rows = fetcher.flagRows({ what: 'FETCH SIZE', uids: range, query: sizeQuery }, noteSize);
      // Some refuse it where there is none, and others for one message that they can't read.
      const listed = await unlessRefused(rows);
      return listed === undefined ? searchUids(range) : uidSetOf(listed.keys());
    },
    searchUids,
    async listLarger(uids, bytes) {
      const larger: number[] = [];
      const unknown: number[] = [];
      for (const [first, last] of uids)
        for (let uid = first; uid <= last; uid += 1) {
          const size = sizes.get(uid);
          if (size === undefined) unknown.push(uid);
          else if (size > bytes) larger.push(uid);
        }
      const rest = uidSetOf(unknown);
      await limit.askAll(rest, async (set) => {
        larger.push(...(await search(set, bytes)).filter((uid) => isAsked(rest, uid)));
      });
      return uidSetOf(larger);
    },
    noteSize,
    forget() {
      sizes = new Map();
      known = null;
    },
    know(first, listed) {
      for (const [uid, size] of listed) noteSize({ uid, size });
      known = { first, uids: uidSetOf(listed.keys()) };
    },
  };
}

function isShort(client: ImapFlow, range: Asked): boolean {
  if (!('first' in range) || !client.mailbox) return false;
  const { exists, uidNext } = client.mailbox;
  return isShortListing({ messages: exists, uidNext: uidNext ? Number(uidNext) : null }, range.first);
}

/**
 * All of a small folder, or what came since `first` by UIDNEXT. An empty folder answers `n:*` with an error at some servers.
 * Pure.
 */
export function isShortListing(
  { messages, uidNext }: { readonly messages: number; readonly uidNext: number | null },
  first: number,
): boolean {
  if (messages === 0) return false;
  const above = (uidNext ?? 0) - first;
  return messages <= fetchCountMax || (above >= 0 && above <= fetchCountMax);
}
