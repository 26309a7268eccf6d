/**
 * kill -9 at every durable step of what the store does in bounded steps, expiring and removing an account: no live mail loses a
 * byte, and going on ends where an undisturbed run ends.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UidSet } from '../../src/base/uid-set.ts';
import type { Store } from '../../src/store/store.ts';
import { clearAllRemoved } from '../../src/upkeep/clear-removed.ts';
import { expireAll } from '../../src/upkeep/expire-all.ts';
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
import { builtFile } from '../support/built.ts';

interface Parts {
  readonly expireAll: typeof expireAll;
  readonly clearAllRemoved: typeof clearAllRemoved;
}
/** Says all it does with its arguments: its text is the child's program, too. */
type Work = (parts: Parts, store: Store, signal: AbortSignal) => Promise<unknown>;

/** An hour apart in two rounds, so that contents go as well. */
const expiring: Work = async (parts, store, signal) => {
  for (const hour of ['00', '02']) {
    const at = `2027-01-30T${hour}:00:00.000Z`;
    const contentsBefore = '2027-01-30T01:00:00.000Z';
    const [tombstonesBefore, changesBefore] = ['2027-01-05T00:00:00.000Z', '2027-01-05T00:00:00.000Z'];
    await parts.expireAll(store, { at, contentsBefore, tombstonesBefore, changesBefore, outboxBefore: null }, signal);
  }
};

/** As `account remove` does, said again after each kill. */
const removing: Work = async (parts, store, signal) => {
  if (await store.account(1)) await store.removeAccount(1);
  await parts.clearAllRemoved(store, signal);
};

/** In a process of its own. */
const program = (work: Work): string => `
  import { startStoreThread } from '${builtFile('store/sqlite/store-thread')}';
  import { createStoreClient } from '${builtFile('store/sqlite/store-client')}';
  import { expireAll } from '${builtFile('upkeep/expire-all')}';
  import { clearAllRemoved } from '${builtFile('upkeep/clear-removed')}';
  const [file, keyFile, crashAt] = process.argv.slice(2);
  const thread = await startStoreThread({ file, keyFile, crashAt: Number(crashAt) });
  const store = await createStoreClient({ port: thread.connect(), file, keyFile });
  await (${work.toString()})({ expireAll, clearAllRemoved }, store, new AbortController().signal);
  await store.close();
  const { steps } = await thread.stop();
  console.log(steps);`;

/** Every third mail has the text of another one that lives, in both accounts. */
async function fillInbox(store: Store, count: number, own: string): Promise<number> {
  const [emfdid = 0] = (await makeFolders(store, 'INBOX')).emfdids;
  await store.recordListing(listing(emfdid, count, [[1, count]]));
  const uids = Array.from({ length: count }, (_, index) => index + 1);
  const mails = uids.map((uid) => mail(uid, `text ${uid % 3 === 1 ? 'shared' : `${own}${uid}`}`));
  await store.storeBatch(batch(emfdid, mails));
  return emfdid;
}

describe.each([
  ['expiring', expiring, ''],
  ['removing an account', removing, 'AND m.acntid = 2'],
])('%s, killed with SIGKILL at every durable step', (_, work, whoseLive) => {
  let place: StorePlace;
  const saved = (): string => `${dirname(place.file)}-saved`;
  const restore = (): void => {
    rmSync(dirname(place.file), { recursive: true });
    cpSync(saved(), dirname(place.file), { recursive: true });
  };
  const file = (): string => `${dirname(place.file)}-work.mjs`;
  const run = (crashAt: number) =>
    spawnSync(process.execPath, [file(), place.file, place.keyFile, String(crashAt)], { encoding: 'utf8' });
  /** By a process that nobody kills. */
  const goOn = async (): Promise<void> => {
    const { store, close } = await openInProcess(place);
    await work({ expireAll, clearAllRemoved }, store, new AbortController().signal);
    await close();
  };
  const live = (): unknown[] =>
    select(
      place,
      `SELECT m.uid FROM email_messages m JOIN email_raw r ON r.content_id = m.content_id WHERE vanished_at IS NULL ${whoseLive}`,
    );
  const state = (): string =>
    JSON.stringify([
      select(place, 'SELECT acntid, enabled FROM email_accounts ORDER BY acntid'),
      select(place, 'SELECT id, uid, vanished_at, content_id FROM email_messages ORDER BY id'),
      select(
        place,
        'SELECT c.id, length(r.raw) AS n FROM email_contents c JOIN email_raw r ON r.content_id = c.id ORDER BY c.id',
      ),
      select(place, 'SELECT seq, kind, acntid FROM email_changes ORDER BY seq'),
    ]);

  beforeAll(async () => {
    place = makePlace();
    const { store, close } = await openInProcess(place);
    const emfdid = await fillInbox(store, 60, 'one');
    await fillInbox(store, 15, 'two');
    const gone: UidSet = [[1, 30]];
    await store.applyVanished({ emfdid, uidValidity: 7, uids: gone, at: '2027-01-01T00:00:00.000Z' });
    await close();
    cpSync(dirname(place.file), saved(), { recursive: true });
    writeFileSync(file(), program(work));
  });
  afterAll(() => {
    rmSync(saved(), { recursive: true });
    place.remove();
  });

  it('loses nothing that lives, and ends in the same rows', async () => {
    const liveCount = live().length;
    const undisturbed = run(0);
    expect(undisturbed.stderr).toBe('');
    const steps = Number(undisturbed.stdout);
    const end = state();
    expect(steps).toBeGreaterThan(7);
    for (let step = 1; step <= steps; step += 1) {
      restore();
      expect({ step, signal: run(step).signal }).toEqual({ step, signal: 'SIGKILL' });
      expect({ step, count: live().length }).toEqual({ step, count: liveCount });
      await goOn();
      expect({ step, state: state() }).toEqual({ step, state: end });
    }
  });
});
