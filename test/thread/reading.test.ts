/** Reading in real worker threads beside a store thread: side by side, ended from outside, and never the same mail twice. */
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readerVersion } from '../../src/mime/reader-version.ts';
import { createStoreClient } from '../../src/store/sqlite/store-client.ts';
import type { StoreThread } from '../../src/store/sqlite/store-thread.ts';
import type { Store } from '../../src/store/store.ts';
import type { ReadReport } from '../../src/sync/read.ts';
import { readAll, storeMails } from '../contract/reading-fixture.ts';
import { makeFolders, makePlace, type StorePlace, select, startBuiltThread } from '../contract/store-fixture.ts';
import { createMailGenerator } from '../support/mail-generator.ts';

interface News {
  readonly progress?: ReadReport;
  readonly report?: ReadReport;
}

const mailCount = 700;

describe('reading threads', () => {
  let place: StorePlace;
  let thread: StoreThread;
  let store: Store;
  beforeEach(async () => {
    place = makePlace();
    thread = await startBuiltThread(place);
    store = await createStoreClient({ ...place, port: thread.connect() });
    await store.raiseEpoch();
    const { emfdids } = await makeFolders(store, 'INBOX');
    const generator = createMailGenerator(3);
    await storeMails(
      store,
      emfdids[0] ?? 0,
      Array.from({ length: mailCount }, () => generator.next('mixed').raw),
    );
  });
  afterEach(async () => {
    await store.close();
    await thread.stop();
    place.remove();
  });
  const start = (): Worker => {
    const port = thread.connect();
    const workerData = { file: place.file, keyFile: place.keyFile, port };
    return new Worker(new URL('../support/reading-worker.js', import.meta.url), { workerData, transferList: [port] });
  };
  const next = (worker: Worker, isWanted: (news: News) => boolean): Promise<News> =>
    new Promise((resolve, reject) => {
      worker.on('message', (news: News) => isWanted(news) && resolve(news));
      worker.once('error', reject);
    });
  const reported = async (worker: Worker): Promise<number> => {
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    const { report } = await next(worker, (news) => news.report !== undefined);
    await exited;
    return report?.readCount ?? 0;
  };
  const texts = (): unknown => select(place, 'SELECT COUNT(*) AS n FROM email_texts');

  it('share the work and read every mail once', async () => {
    const counts = await Promise.all([reported(start()), reported(start())]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(mailCount);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(texts()).toEqual([{ n: mailCount }]);
  });
  it('that are ended in the middle lose nothing: what they had claimed is read alone, by others', async () => {
    const worker = start();
    await next(worker, ({ progress }) => (progress?.readCount ?? 0) > 100);
    await worker.terminate();
    const claimed = select<{ n: number }>(place, 'SELECT COUNT(*) AS n FROM reading_claims')[0]?.n ?? 0;
    expect(claimed).toBeGreaterThan(0);
    await readAll(store);
    expect(await store.unreadCount()).toBe(claimed);
    await store.raiseEpoch();
    expect(await readAll(store)).toMatchObject({ readCount: claimed, failedCount: 0 });
    expect(await store.hasUnread(readerVersion)).toBe(false);
    expect(texts()).toEqual([{ n: mailCount }]);
  });
  it('fail one mail that takes them down twice, and read all others', async () => {
    // What such a thread leaves behind: a claim that nobody ends, twice.
    const claim = { readerVersion, countMax: 3, bytesMax: 1e9, leaseMs: 60_000, at: '2026-11-24T12:00:00.000Z' };
    const [first] = await store.claimUnread(claim);
    await store.raiseEpoch();
    const [again] = await store.claimUnread(claim);
    await store.raiseEpoch();
    const { failedCount, readCount } = await readAll(store);
    expect([first !== undefined, again !== undefined]).toEqual([true, true]);
    expect([readCount, failedCount]).toEqual([mailCount - 1, 0]);
    expect(await store.unreadable({ limit: 9 })).toMatchObject([{ contentId: again?.contentId }]);
  });
});
