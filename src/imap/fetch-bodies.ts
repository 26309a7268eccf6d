/**
 * Fetches bodies in bulk. The library sends the command, waits for its end and watches the connection; the rows in between are
 * taken out of its stream by a reader of our own (fetch-reader.ts), which costs a fifth of the library's time a mail
 * (docs/performance.md). What that reader can't tell, and all else that comes meanwhile (EXISTS, BYE), is the library's to read.
 */
import type { FetchQueryObject, ImapFlow } from 'imapflow';
import { EngineError } from '../base/errors.ts';
import type { UidSet } from '../base/uid-set.ts';
import { divertRows, type RowBounds } from './divert-rows.ts';
import { toEngineError } from './failure.ts';
import type { FetchItems } from './fetch-items.ts';
import type { Transfer } from './link.ts';
import type { MessageLimit } from './message-limit.ts';
import { fromFetchItems, isAsked, toBodyRow } from './rows.ts';
import type { BodyRow, SessionOptions } from './session.ts';
import { createStopwatch, type Stopwatch } from './stopwatch.ts';

export interface FetchBodiesInput {
  readonly client: ImapFlow;
  readonly options: SessionOptions;
  readonly bounds: RowBounds;
  readonly limit: MessageLimit;
  readonly uids: UidSet;
  /** See ImapSession.fetchBodies. */
  readonly onRow: (row: BodyRow) => Promise<void> | void;
}

const bodyQuery: FetchQueryObject = { uid: true, flags: true, internalDate: true, size: true, source: true };

export async function fetchBodies(input: FetchBodiesInput): Promise<Transfer> {
  const { client, uids, onRow } = input;
  const done = new Set<number>();
  const take: Take = (row, stopwatch) => {
    if (!isAsked(uids, row.uid) || done.has(row.uid)) return;
    done.add(row.uid);
    stopwatch.noteAsked(row.raw.length);
    return onRow(row);
  };
  let bytes = 0;
  let waitedMs = 0;
  await input.limit.askAll(uids, async (set) => {
    if (!client.usable) throw new EngineError('connection_lost', 'FETCH');
    const transfer = await fetchSet(input, set, take);
    bytes += transfer.bytes;
    waitedMs += transfer.waitedMs;
  });
  return { bytes, waitedMs };
}

type Take = (row: BodyRow, stopwatch: Stopwatch) => Promise<void> | void;

async function fetchSet({ client, options, bounds }: FetchBodiesInput, set: string, take: Take): Promise<Transfer> {
  const stopwatch = createStopwatch(options, () => client.close());
  const onItems = (items: FetchItems): Promise<void> | void => {
    const row = fromFetchItems(items);
    return row === undefined ? undefined : take(row, stopwatch);
  };
  const diversion = divertRows(client, { bounds, stopwatch, commandCount: 1 }, onItems);
  try {
    for await (const message of client.fetch(set, bodyQuery, { uid: true })) {
      const row = toBodyRow(message);
      if (row === undefined) continue;
      stopwatch.pause(row.raw.length);
      await take(row, stopwatch);
      stopwatch.resume();
    }
    diversion.throwIfFailed();
    return stopwatch.transfer();
  } catch (error) {
    diversion.throwIfFailed();
    throw stopwatch.failure() ?? toEngineError(error, { what: 'FETCH', nowMs: Date.now() });
  } finally {
    stopwatch.stop();
    diversion.end();
  }
}
