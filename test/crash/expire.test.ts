/** kill -9 at every durable step of what expires: no live mail loses a byte, and going on ends where an undisturbed run ends. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UidSet } from '../../src/base/uid-set.ts';
import {
  batch,
  listing,
  mail,
  makeFolders,
  makePlace,
  openInProcess,
  type StorePlace,
  select,
} from '../contract/store-fixture.ts';

const built = (path: string): string => new URL(`../../build/${path}.js`, import.meta.url).href;

/** Expires all in a process of its own, an hour apart in two rounds, so that contents go as well. */
const script = `
  const { startStoreThread } = await import('${built('store/sqlite/store-thread')}');
  const { createStoreClient } = await import('${built('store/sqlite/store-client')}');
  const { expireAll } = await import('${built('upkeep/expire-all')}');
  const [file, keyFile, crashAt] = process.argv.slice(2);
  const thread = await startStoreThread({ file, keyFile, crashAt: Number(crashAt) });
  const store = await createStoreClient({ port: thread.connect(), file, keyFile });
  for (const hour of ['00', '02']) {
    const at = '2027-01-30T' + hour + ':00:00.000Z';
    const contentsBefore = '2027-01-30T01:00:00.000Z';
    const limits = { at, contentsBefore, tombstonesBefore: '2027-01-05T00:00:00.000Z', changesBefore: '2027-01-05T00:00:00.000Z', outboxBefore: null };
    await expireAll(store, limits, new AbortController().signal);
  }
  await store.close();
  const { steps } = await thread.stop();
  console.log(steps);`;

describe('expiring, killed with SIGKILL at every durable step', () => {
  let place: StorePlace;
  const saved = (): string => `${dirname(place.file)}-saved`;
  const restore = (): void => {
    rmSync(dirname(place.file), { recursive: true });
    cpSync(saved(), dirname(place.file), { recursive: true });
  };
  // A file: a worker thread inherits the options of `node -e`, and refuses them.
  const program = (): string => `${dirname(place.file)}-expire.mjs`;
  const run = (crashAt: number) =>
    spawnSync(process.execPath, [program(), place.file, place.keyFile, String(crashAt)], { encoding: 'utf8' });
  const state = (): string =>
    JSON.stringify([
      select(place, 'SELECT id, uid, vanished_at, content_id FROM email_messages ORDER BY id'),
      select(
        place,
        'SELECT c.id, length(r.raw) AS n FROM email_contents c JOIN email_raw r ON r.content_id = c.id ORDER BY c.id',
      ),
      select(place, 'SELECT seq FROM email_changes ORDER BY seq'),
    ]);

  beforeAll(async () => {
    place = makePlace();
    const { store, close } = await openInProcess(place);
    const { emfdids } = await makeFolders(store, 'INBOX');
    const emfdid = emfdids[0] ?? 0;
    await store.recordListing(listing(emfdid, 60, [[1, 60]]));
    // Every third mail has the text of another one that lives.
    const mails = Array.from({ length: 60 }, (_, index) =>
      mail(index + 1, `text ${index % 3 === 0 ? 'shared' : index}`),
    );
    await store.storeBatch(batch(emfdid, mails));
    const gone: UidSet = [[1, 30]];
    await store.applyVanished({ emfdid, uidValidity: 7, uids: gone, at: '2027-01-01T00:00:00.000Z' });
    await close();
    cpSync(dirname(place.file), saved(), { recursive: true });
    writeFileSync(program(), script);
  });
  afterAll(() => {
    rmSync(saved(), { recursive: true });
    place.remove();
  });

  it('loses nothing that lives, and ends in the same rows', () => {
    const undisturbed = run(0);
    expect(undisturbed.stderr).toBe('');
    const steps = Number(undisturbed.stdout);
    const end = state();
    expect(steps).toBeGreaterThan(8);
    for (let step = 1; step <= steps; step += 1) {
      restore();
      expect({ step, signal: run(step).signal }).toEqual({ step, signal: 'SIGKILL' });
      const live = select(
        place,
        'SELECT m.uid FROM email_messages m JOIN email_raw r ON r.content_id = m.content_id WHERE vanished_at IS NULL',
      );
      expect({ step, count: live.length }).toEqual({ step, count: 30 });
      expect(run(0).status).toBe(0);
      expect({ step, state: state() }).toEqual({ step, state: end });
    }
  });
});
