/**
 * Bulk answers without bodies, by UID: each UID asked for once, the last answer wins. Rows that nobody asked for, and rows that
 * carry no flags (servers send such unasked), are dropped.
 */
import type { FetchMessageObject, FetchQueryObject, ImapFlow } from 'imapflow';
import { EngineError } from '../base/errors.ts';
import type { RunCommand } from './command.ts';
import { divertRows, type RowBounds } from './divert-rows.ts';
import type { MessageLimit } from './message-limit.ts';
import { type FlagItems, isAsked } from './rows.ts';
import type { Asked } from './uid-ranges.ts';

/** Messages that came since EXISTS was told, at most: rows are kept until the last has come, some 200 bytes each. */
const surplusCountMax = 100_000;

export interface RowsQuery {
  readonly what: string;
  readonly uids: Asked;
  readonly query: FetchQueryObject;
  readonly changedSince?: bigint | undefined;
}

export interface RowFetcherInput {
  readonly client: ImapFlow;
  readonly bounds: RowBounds;
  readonly run: RunCommand;
  readonly limit: MessageLimit;
}

export interface RowFetcher {
  /** All that the library reads. */
  rows<Row>(asked: RowsQuery, toRow: (message: FetchMessageObject) => Row): Promise<Map<number, Row>>;
  /** UID, flags, size and MODSEQ, read by our own reader: a scan of a large folder is little else. */
  flagRows<Row>(asked: RowsQuery, toRow: (items: FlagItems) => Row): Promise<Map<number, Row>>;
}

export function createRowFetcher({ client, bounds, run, limit }: RowFetcherInput): RowFetcher {
  const fetch = async <Message extends FlagItems, Row>(
    { what, uids, query, changedSince }: RowsQuery,
    toRow: (message: Message) => Row,
    read: (
      set: string,
      query: FetchQueryObject,
      changedSince: ChangedSince,
      take: (message: Message) => void,
    ) => Promise<void>,
  ): Promise<Map<number, Row>> => {
    const rows = new Map<number, Row>();
    const exists = (): number => (client.mailbox ? client.mailbox.exists : 0);
    const rowCountMax = exists() + surplusCountMax;
    const since = changedSince === undefined ? {} : { changedSince };
    const take = (message: Message): void => {
      if (isAsked(uids, message.uid) && message.flags) rows.set(message.uid, toRow(message));
      if (rows.size > rowCountMax) throw tooMany(exists());
    };
    await limit.askAll(uids, (set) => run(what, () => read(set, query, since, take), exists()));
    return rows;
  };
  const readAll = async (
    set: string,
    query: FetchQueryObject,
    since: ChangedSince,
    take: (message: FetchMessageObject) => void,
  ): Promise<void> => {
    for await (const message of client.fetch(set, query, { uid: true, ...since })) take(message);
  };
  const readFlags = async (
    set: string,
    query: FetchQueryObject,
    since: ChangedSince,
    take: (items: FlagItems) => void,
  ): Promise<void> => {
    const diversion = divertRows(
      client,
      { bounds, stopwatch: null, commandCount: 1 },
      ({ uid, flags, size, modseq }) => {
        if (uid !== undefined) take({ uid, flags, size, modseq });
      },
    );
    try {
      await readAll(set, query, since, take);
      diversion.throwIfFailed();
    } catch (error) {
      diversion.throwIfFailed();
      throw error;
    } finally {
      diversion.end();
    }
  };
  return {
    rows: (asked, toRow) => fetch(asked, toRow, readAll),
    flagRows: (asked, toRow) => fetch(asked, toRow, readFlags),
  };
}

const tooMany = (exists: number): EngineError =>
  new EngineError('response_too_large', `more than ${surplusCountMax} rows too many of a folder of ${exists} messages`);

type ChangedSince = { readonly changedSince?: bigint };
