/**
 * Bulk answers without bodies, by UID: each UID asked for once, the last answer wins. Rows that nobody asked for, and rows that
 * carry no flags (servers send such unasked), are dropped.
 */
import type { FetchMessageObject, FetchQueryObject, ImapFlow } from 'imapflow';
import type { UidSet } from '../base/uid-set.ts';
import type { RunCommand } from './command.ts';
import { isAsked } from './rows.ts';
import { toCommandSets } from './uid-ranges.ts';

export type Asked = UidSet | { readonly first: number };

export interface RowsQuery {
  readonly what: string;
  readonly uids: Asked;
  readonly query: FetchQueryObject;
  readonly changedSince?: bigint | undefined;
}

export type FetchRows = <Row>(
  asked: RowsQuery,
  toRow: (message: FetchMessageObject) => Row,
) => Promise<Map<number, Row>>;

export function createRowFetcher(client: ImapFlow, run: RunCommand): FetchRows {
  return async ({ what, uids, query, changedSince }, toRow) => {
    const rows = new Map<number, ReturnType<typeof toRow>>();
    const options = { uid: true, ...(changedSince === undefined ? {} : { changedSince }) };
    for (const set of toCommandSets(uids)) {
      const read = async (): Promise<void> => {
        for await (const message of client.fetch(set, query, options))
          if (isAsked(uids, message.uid) && message.flags) rows.set(message.uid, toRow(message));
      };
      await run(what, read, client.mailbox ? client.mailbox.exists : 0);
    }
    return rows;
  };
}
