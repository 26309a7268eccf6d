/**
 * Which UIDs the open folder has, and which of them are large. Where few can have come, one FETCH tells UIDs, flags and
 * sizes in the round trip that a SEARCH takes for the UIDs alone; sizes once heard are not asked for again.
 */
import type { FetchQueryObject, ImapFlow } from 'imapflow';
import { type UidSet, uidSetOf, unionUids } from '../base/uid-set.ts';
import { isAsked } from './rows.ts';
import type { MetadataRow } from './session.ts';
import { toCommandSets } from './uid-ranges.ts';

type Asked = UidSet | { readonly first: number };

export interface UidListingInput {
  readonly client: ImapFlow;
  readonly run: <T>(what: string, work: () => Promise<T>) => Promise<T>;
  readonly fetchRows: (what: string, uids: Asked, query: FetchQueryObject) => Promise<Map<number, MetadataRow>>;
}

export interface UidListing {
  listUids(range: Asked): Promise<UidSet>;
  listLarger(uids: UidSet, bytes: number): Promise<UidSet>;
  /** Sizes as the server announced them. */
  noteSizes(rows: Iterable<MetadataRow>): void;
  /** Another folder is open. */
  forget(): void;
}

/** A FETCH row costs a parser 25 µs more than a number in a SEARCH answer: beyond this a round trip on a LAN is cheaper. */
const fetchCountMax = 30;
/** Sizes kept: so many are some hundred kilobytes. */
const sizeCountMax = 5000;

const sizeQuery: FetchQueryObject = { uid: true, flags: true, size: true };

export function createUidListing({ client, run, fetchRows }: UidListingInput): UidListing {
  let sizes = new Map<number, number>();
  const noteSizes = (rows: Iterable<MetadataRow>): void => {
    for (const { uid, size } of rows) if (size > 0 && sizes.size < sizeCountMax) sizes.set(uid, size);
  };

  /** SEARCH, and FETCH where a server refuses it. imapflow answers a refused SEARCH with false. */
  const search = async (set: string, bytes?: number): Promise<number[]> => {
    const query = bytes === undefined ? { uid: set } : { uid: set, larger: bytes };
    const found = await run('SEARCH', () => client.search(query, { uid: true }));
    if (found) return found;
    if (client.mailbox && client.mailbox.exists === 0) return [];
    const rows: number[] = [];
    await run('FETCH SIZE', async () => {
      for await (const { uid, size = 0 } of client.fetch(set, sizeQuery, { uid: true }))
        if (bytes === undefined || size > bytes) rows.push(uid);
    });
    return rows;
  };

  return {
    async listUids(range) {
      if (isShort(client, range)) {
        const rows = await fetchRows('FETCH SIZE', range, sizeQuery);
        noteSizes(rows.values());
        return uidSetOf(rows.keys());
      }
      let found: UidSet = [];
      for (const set of toCommandSets(range))
        found = unionUids(found, uidSetOf((await search(set)).filter((uid) => isAsked(range, uid))));
      return found;
    },
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
      for (const set of toCommandSets(rest))
        larger.push(...(await search(set, bytes)).filter((uid) => isAsked(rest, uid)));
      return uidSetOf(larger);
    },
    noteSizes,
    forget() {
      sizes = new Map();
    },
  };
}

/** All of a small folder, or what came since `first` by UIDNEXT. An empty folder answers `n:*` with an error at some servers. */
function isShort(client: ImapFlow, range: Asked): boolean {
  if (!('first' in range) || !client.mailbox || client.mailbox.exists === 0) return false;
  const above = Number(client.mailbox.uidNext ?? 0) - range.first;
  return client.mailbox.exists <= fetchCountMax || (above >= 0 && above <= fetchCountMax);
}
