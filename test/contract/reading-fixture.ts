/** Mail with a MIME body in a store, and reading it: what the tests of the second stage are made of. */
import { createHash } from 'node:crypto';
import { systemClock } from '../../src/base/clock.ts';
import { readHeaderFields } from '../../src/mime/header-fields.ts';
import type { IncomingMessage, Store } from '../../src/store/store.ts';
import type { ReadPorts, ReadReport, ReadTask } from '../../src/sync/read.ts';
import { readPending } from '../../src/sync/read-pending.ts';
import { at, batch, listing, mail } from './store-fixture.ts';

/** As sync would hand it over. */
export function incoming(uid: number, raw: Buffer | string, more: Partial<IncomingMessage> = {}): IncomingMessage {
  const bytes = Buffer.from(raw);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    ...mail(uid),
    raw: new Uint8Array(bytes),
    size: bytes.length,
    sha256,
    headers: readHeaderFields(bytes),
    ...more,
  };
}

/** Stores them in the folder under UIDs 1, 2, 3… */
export async function storeMails(
  store: Store,
  emfdid: number,
  raws: readonly (Buffer | string)[],
  firstUid = 1,
): Promise<void> {
  const last = firstUid + raws.length - 1;
  await store.recordListing(listing(emfdid, last, [[firstUid, last]]));
  const messages = raws.map((raw, index) => incoming(firstUid + index, raw));
  await store.storeBatch(batch(emfdid, messages));
}

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };

export const readPorts = (store: Store, more: Partial<ReadPorts> = {}): ReadPorts => ({
  store,
  log: quiet,
  clock: systemClock,
  signal: new AbortController().signal,
  ...more,
});

export const wholeTask: ReadTask = { countMax: 1_000_000, msMax: 600_000 };

export const readAll = (store: Store): Promise<ReadReport> => readPending(readPorts(store), wholeTask);

/** Ends the passes of the folder, so that its first sync is over. */
export const endFirstSync = (store: Store, emfdid: number, messageCount: number): Promise<void> =>
  store.endPass({
    emfdid,
    uidValidity: 7,
    kind: 'full',
    uidNext: null,
    highestModseq: null,
    messageCount,
    unseenCount: null,
    at,
  });
