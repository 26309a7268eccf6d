import { MessageChannel, Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStoreClient } from '../../src/store/sqlite/store-client.ts';
import type { Store } from '../../src/store/store.ts';
import { builtFile } from '../support/built.ts';
import {
  batch,
  listing,
  mail,
  makeFolders,
  makePlace,
  newAccount,
  openInProcess,
  type StorePlace,
  select,
  startBuiltThread,
} from './store-fixture.ts';

describe('the store thread', () => {
  let place: StorePlace;
  beforeEach(() => {
    place = makePlace();
  });
  afterEach(() => place.remove());

  it('answers several clients, and undoes only the request that failed in a group', async () => {
    const thread = await startBuiltThread(place);
    const client = (): Promise<Store> => createStoreClient({ ...place, port: thread.connect() });
    const clients = [await client(), await client(), await client()] as const;
    const answers = await Promise.allSettled(
      clients.map((store, index) => store.addAccount(newAccount(`${'aba'.charAt(index)}@example.com`))),
    );
    // Which of the two that want the same address comes first is nobody's to say: each has a port of its own.
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(await clients[2].accounts()).toHaveLength(2);
    for (const client of clients) await client.close();
    expect((await thread.stop()).steps).toBeGreaterThanOrEqual(7);
  });
  it('commits what was asked before it was stopped, may be stopped twice, and lets later calls fail at once', async () => {
    const thread = await startBuiltThread(place);
    const ended = new Promise<boolean>((resolve) => thread.onExit(resolve));
    const store = await createStoreClient({ ...place, port: thread.connect() });
    const added = store.addAccount(newAccount('a@example.com'));
    await Promise.all([added, thread.stop(), thread.stop()]);
    expect(await ended).toBe(true);
    await expect(store.addAccount(newAccount('b@example.com'))).rejects.toMatchObject({ code: 'store_io' });
    const late = await createStoreClient({ ...place, port: thread.connect() });
    await expect(late.raiseEpoch()).rejects.toMatchObject({ code: 'store_io' });
    expect(await late.accounts()).toHaveLength(1);
    await Promise.all([store.close(), late.close()]);
  });
  it('leaves nobody waiting when it dies', async () => {
    await (await openInProcess(place)).close();
    const entry = builtFile('store-thread-start');
    const worker = new Worker(entry, { workerData: { ...place, remove: undefined, crashAt: 0 } });
    await new Promise((resolve) => worker.once('message', resolve));
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ kind: 'connect', port: port1 }, [port1]);
    const store = await createStoreClient({ ...place, port: port2 });
    await store.addAccount(newAccount('a@example.com'));
    const asked = Array.from({ length: 50 }, (_, index) => store.recordVanishedTrust(1, index % 3));
    const outcomes = Promise.allSettled(asked);
    await worker.terminate();
    expect(
      (await outcomes)
        .filter(({ status }) => status === 'rejected')
        .every((outcome) => 'reason' in outcome && outcome.reason.code === 'store_io'),
    ).toBe(true);
    await expect(store.raiseEpoch()).rejects.toMatchObject({ code: 'store_io' });
    await store.close();
  });
  it('says why it could not start', async () => {
    const opened = await openInProcess(place);
    await opened.store.raiseEpoch();
    await opened.close();
    const { openSqlite } = await import('../../src/base/sqlite.ts');
    const database = openSqlite(place.file);
    database.pragma('user_version = 99');
    database.close();
    await expect(startBuiltThread(place)).rejects.toMatchObject({ code: 'store_newer' });
  });
  it('moves bodies that own their memory and copies those that share it', async () => {
    const thread = await startBuiltThread(place);
    const store = await createStoreClient({ ...place, port: thread.connect() });
    const { emfdids } = await makeFolders(store, 'INBOX');
    const [emfdid = 0] = emfdids;
    await store.recordListing(listing(emfdid, 2, [[1, 2]]));
    const [own, shared] = [mail(1), mail(2)];
    const room = new Uint8Array(shared.raw.length + 4);
    room.set(shared.raw, 2);
    await store.storeBatch(batch(emfdid, [own, { ...shared, raw: room.subarray(2, 2 + shared.raw.length) }]));
    expect([own.raw.length, room.length > 0]).toEqual([0, true]);
    const lengths = select<{ n: number }>(place, 'SELECT length(raw) AS n FROM email_raw').map(({ n }) => n);
    expect(lengths).toEqual([shared.raw.length, shared.raw.length]);
    await store.close();
    await thread.stop();
  });
});
