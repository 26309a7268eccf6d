/** What expires, asked of both ways to open a store; and a property test against plain sets. */
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqlitePackage } from '../../src/base/sqlite.ts';
import { readerVersion } from '../../src/mime/reader-version.ts';
import { readersOf } from '../../src/store/sqlite/wal-readers.ts';
import type { Store } from '../../src/store/store.ts';
import type { ExpiryLimits } from '../../src/store/upkeep.ts';
import {
  at,
  batch,
  execute,
  fill,
  listing,
  mail,
  makeFolders,
  makePlace,
  type OpenedStore,
  openInProcess,
  openThreaded,
  removeAccount,
  type StorePlace,
  select,
} from './store-fixture.ts';

const day = (number: number): string => `2027-01-${String(number).padStart(2, '0')}T00:00:00.000Z`;
const limits = (more: Partial<ExpiryLimits> = {}): ExpiryLimits => ({
  tombstonesBefore: null,
  contentsBefore: at,
  changesBefore: null,
  outboxBefore: null,
  at: day(30),
  ...more,
});

describe.each([
  ['in process', openInProcess],
  ['behind its thread', openThreaded],
])('a store %s', (_, open) => {
  let place: StorePlace;
  let opened: OpenedStore;
  let store: Store;
  beforeEach(async () => {
    place = makePlace();
    opened = await open(place);
    store = opened.store;
  });
  afterEach(async () => {
    await opened.close();
    place.remove();
  });
  const count = (table: string): number =>
    select<{ n: number }>(place, `SELECT COUNT(*) AS n FROM ${table}`)[0]?.n ?? -1;
  const vanish = (emfdid: number, uids: number[], when: string) =>
    store.applyVanished({ emfdid, uidValidity: 7, uids: uids.map((uid) => [uid, uid] as const), at: when });
  const inbox = async (mails: number) => {
    const { acntid, emfdids } = await makeFolders(store, 'INBOX');
    const emfdid = emfdids[0] ?? 0;
    await fill(store, emfdid, mails);
    return { acntid, emfdid };
  };

  const readWithAttachments = async () => {
    const claim = { readerVersion, countMax: 10, bytesMax: 1_000_000, leaseMs: 60_000, at };
    const attachment = {
      part: '2',
      filename: 'a.pdf',
      contentType: 'application/pdf',
      size: 3,
      disposition: null,
      cid: null,
    };
    const readings = (await store.claimUnread(claim)).map(({ contentId }) => ({
      contentId,
      text: 'some words',
      html: null,
      preview: 'some words',
      hasAttachments: true,
      attachments: [attachment],
      search: { subject: 's', sender: 'anna', recipients: '', filenames: 'a.pdf', words: '' },
      note: null,
    }));
    await store.recordRead({ readerVersion, readings, at });
  };

  it('lets old tombstones go, their contents an hour later with all that belongs to them, and leaves live mail alone', async () => {
    const { acntid, emfdid } = await inbox(4);
    await readWithAttachments();
    await vanish(emfdid, [1], day(1));
    await vanish(emfdid, [2], day(9));
    const ledger = await store.ledger(acntid);
    const first = await store.expire(limits({ tombstonesBefore: day(5), contentsBefore: day(29) }));
    expect(first).toMatchObject({ tombstoneCount: 1, contentCount: 0, isDone: true });
    expect([count('email_messages'), count('email_contents')]).toEqual([3, 4]);
    const second = await store.expire(limits({ tombstonesBefore: day(5), contentsBefore: day(31), at: day(31) }));
    expect(second).toMatchObject({ tombstoneCount: 0, contentCount: 1, isDone: true });
    for (const table of ['email_contents', 'email_raw', 'email_texts', 'email_attachments'])
      expect([table, count(table)]).toEqual([table, 3]);
    expect(await store.ledger(acntid)).toEqual(ledger);
    expect((await store.storedMessages(emfdid)).map(({ uid, isVanished }) => [uid, isVanished])).toEqual([
      [2, true],
      [3, false],
      [4, false],
    ]);
  });

  it('keeps a content that another row has, lives or not, and one that came back within the hour', async () => {
    const { emfdid } = await inbox(1);
    const { emfdids } = await makeFolders(store, 'Copies');
    const other = emfdids[0] ?? 0;
    await fill(store, other, 1);
    await vanish(emfdid, [1], day(1));
    await store.expire(limits({ tombstonesBefore: day(5) }));
    await store.expire(limits({ contentsBefore: day(31) }));
    expect(count('email_contents')).toBe(1);
    await vanish(other, [1], day(1));
    await store.expire(limits({ tombstonesBefore: day(5) }));
    await store.recordListing(listing(emfdid, 2, [[2, 2]]));
    await store.storeBatch(batch(emfdid, [mail(2, 'mail 1')]));
    await store.expire(limits({ contentsBefore: day(31) }));
    expect([count('email_contents'), count('email_messages'), count('expiring_contents')]).toEqual([1, 1, 0]);
  });

  it('lets a content go with the tombstone of a message whose UID was given to another', async () => {
    const { emfdid } = await inbox(1);
    await store.storeBatch(batch(emfdid, [mail(1, 'something else')]));
    await store.expire(limits({ tombstonesBefore: day(31), contentsBefore: day(31), at: day(30) }));
    await store.expire(limits({ contentsBefore: day(31), at: day(30) }));
    expect(select(place, 'SELECT subject FROM email_contents')).toEqual([{ subject: 'something else' }]);
  });

  it('keeps a tombstone that an unsent mail answers', async () => {
    const { acntid, emfdid } = await inbox(1);
    await vanish(emfdid, [1], day(1));
    execute(
      place,
      `INSERT INTO email_outbox (acntid, raw, in_reply_to_id) SELECT ${acntid}, 'x', id FROM email_messages`,
    );
    expect(await store.expire(limits({ tombstonesBefore: day(5) }))).toMatchObject({ tombstoneCount: 0 });
    execute(place, "UPDATE email_outbox SET state = 'delivered'");
    expect(await store.expire(limits({ tombstonesBefore: day(5) }))).toMatchObject({ tombstoneCount: 1 });
  });

  it('takes many in steps, each bounded, until it says that it is done', async () => {
    const { emfdid } = await inbox(1100);
    await vanish(
      emfdid,
      Array.from({ length: 1099 }, (_, index) => index + 1),
      day(1),
    );
    const counts: number[] = [];
    for (let isDone = false; !isDone; ) {
      const report = await store.expire(limits({ tombstonesBefore: day(5) }));
      counts.push(report.tombstoneCount);
      isDone = report.isDone;
    }
    expect(counts.every((one) => one <= 500)).toBe(true);
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(1099);
    expect(count('email_messages')).toBe(1);
  });

  it('lets old changes go from the front, wrongly dated ones with their neighbours, and keeps the newest row', async () => {
    await inbox(1);
    execute(place, 'DELETE FROM email_changes');
    const dates = [day(1), '2099-01-01T00:00:00.000Z', day(2), day(8), day(3)];
    for (const date of dates) execute(place, `INSERT INTO email_changes (at, kind, acntid) VALUES ('${date}', 'x', 1)`);
    const left = () => select<{ at: string }>(place, 'SELECT at FROM email_changes ORDER BY seq').map((row) => row.at);
    await store.expire(limits({ changesBefore: day(2) }));
    expect(left()).toEqual(dates.slice(1));
    await store.expire(limits({ changesBefore: day(5) }));
    expect(left()).toEqual(dates.slice(3));
    expect(await store.expire(limits({ changesBefore: day(30) }))).toMatchObject({ changeCount: 1, isDone: false });
    expect(await store.expire(limits({ changesBefore: day(30) }))).toMatchObject({ changeCount: 0, isDone: true });
    expect(left()).toEqual(dates.slice(4));
  });

  it('empties finished outbox entries to which nothing happened for long, and keeps who got what', async () => {
    const { acntid } = await inbox(1);
    const states = [
      'delivered',
      'rejected',
      'cancelled',
      'queued',
      'held',
      'deferred',
      'unknown',
      'delivered',
      'delivered',
    ];
    for (const [index, state] of states.entries())
      execute(
        place,
        `INSERT INTO email_outbox (id, acntid, state, raw, body_text, created_at, sent_at, next_attempt_at)
         VALUES (${index + 1}, ${acntid}, '${state}', 'r', 't', '${day(1)}', ${index === 7 ? `'${day(9)}'` : 'NULL'}, ${index === 8 ? `'${day(2)}'` : 'NULL'});
         INSERT INTO email_outbox_recipients (outbox_id, address) VALUES (${index + 1}, 'b@example.com')`,
      );
    execute(
      place,
      `INSERT INTO email_outbox_attempts (outbox_id, started_at) VALUES (1, '${day(1)}'), (2, '${day(9)}')`,
    );
    expect(await store.expire(limits({ outboxBefore: day(5) }))).toMatchObject({ outboxCount: 2, isDone: true });
    expect(await store.expire(limits({ outboxBefore: day(5) }))).toMatchObject({ outboxCount: 0 });
    expect(select(place, 'SELECT id, raw, body_text, state FROM email_outbox WHERE expired_at IS NOT NULL')).toEqual([
      { id: 1, raw: null, body_text: null, state: 'delivered' },
      { id: 3, raw: null, body_text: null, state: 'cancelled' },
    ]);
    expect([count('email_outbox_recipients'), count('email_outbox_attempts')]).toEqual([9, 1]);
  });

  it('notes its size once a day', async () => {
    for (const when of [day(1), day(1).replace('00:00:00', '23:59:59'), day(2)]) await store.recordSize(when);
    const sizes = await store.storeSizes();
    expect(sizes.map((size) => size.at)).toEqual([day(1), day(2)]);
    expect(sizes.every(({ bytes, freeBytes }) => bytes >= 16_384 && freeBytes < bytes)).toBe(true);
  });

  it('empties the WAL when nobody reads, and says that it is held, and by which process, when somebody does', async () => {
    const { emfdid } = await inbox(50);
    const wal = `${place.file}-wal`;
    expect(statSync(wal).size).toBeGreaterThan(0);
    const reader = spawn(process.execPath, ['-e', readerScript, place.file], { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise((resolve) => reader.stdout.once('data', resolve));
    await store.storeBatch(batch(emfdid, [mail(51)]));
    const startedMs = performance.now();
    expect(await store.shrinkWal()).toMatchObject({ isHeld: true });
    expect(performance.now() - startedMs).toBeLessThan(5000);
    if (process.platform === 'linux') expect(readersOf(place.file)).toContain(reader.pid);
    const gone = new Promise((resolve) => reader.once('exit', resolve));
    reader.stdin.end();
    await gone;
    expect(await store.shrinkWal()).toEqual({ bytes: 0, isHeld: false });
    expect(readersOf(place.file)).toEqual([]);
    await store.storeBatch(batch(emfdid, [mail(52)]));
  });
});

/** An application that leaves a read open until its stdin ends. */
const readerScript = `
  const database = new (require('${sqlitePackage}'))(process.argv[1], { readonly: true });
  database.exec('BEGIN');
  database.prepare('SELECT COUNT(*) FROM email_messages').get();
  process.stdin.resume().on('end', () => process.exit());
  console.log('reading');`;

describe('any order of storing, vanishing and expiring', () => {
  it('leaves the rows and contents that plain sets predict, and never a live message without its bytes', async () => {
    const place = makePlace();
    const { store, close } = await openInProcess(place);
    const action = fc.oneof(
      fc.record({ kind: fc.constant('store' as const), uid: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ kind: fc.constant('vanish' as const), uid: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ kind: fc.constant('expire' as const), uid: fc.constant(0) }),
    );
    const live = `SELECT m.uid FROM email_messages m JOIN email_raw r ON r.content_id = m.content_id
      WHERE m.vanished_at IS NULL AND m.emfdid = `;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
        const { acntid, emfdids } = await makeFolders(store, 'INBOX');
        const emfdid = emfdids[0] ?? 0;
        await store.recordListing(listing(emfdid, 6, [[1, 6]]));
        const alive = new Set<number>();
        const tombstones = new Map<number, number>();
        for (const [index, { kind, uid }] of actions.entries()) {
          const now = index + 1;
          if (kind === 'store') {
            // Two UIDs share each text.
            await store.storeBatch(batch(emfdid, [mail(uid, `text ${uid % 3}`)], { at: day(now) }));
            alive.add(uid);
            tombstones.delete(uid);
          } else if (kind === 'vanish') {
            await store.applyVanished({ emfdid, uidValidity: 7, uids: [[uid, uid]], at: day(now) });
            if (alive.delete(uid)) tombstones.set(uid, now);
          } else {
            const before = now - 5;
            const tombstonesBefore = before < 1 ? at : day(before);
            await store.expire(limits({ tombstonesBefore, contentsBefore: day(now), at: day(now) }));
            for (const [gone, when] of tombstones) if (when < before) tombstones.delete(gone);
          }
        }
        const rows = (await store.storedMessages(emfdid)).map((row) => `${row.uid} ${row.isVanished}`);
        const expected = [
          ...[...alive].map((uid) => `${uid} false`),
          ...[...tombstones.keys()].map((uid) => `${uid} true`),
        ];
        expect(rows.length).toBe(expected.length);
        expect(new Set(rows)).toEqual(new Set(expected));
        expect(select<{ uid: number }>(place, live + emfdid)).toHaveLength(alive.size);
        await removeAccount(store, acntid);
        for (let step = 0; step < 2; step += 1) await store.expire(limits({ contentsBefore: day(31), at: day(30) }));
        expect(select(place, 'SELECT id FROM email_contents UNION ALL SELECT content_id FROM email_raw')).toEqual([]);
      }),
      { numRuns: 60 },
    );
    await close();
    place.remove();
  });
});
