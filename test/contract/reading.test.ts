import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readerVersion } from '../../src/mime/reader-version.ts';
import type { ReadClaim, Reading } from '../../src/store/reading.ts';
import type { Store } from '../../src/store/store.ts';
import { readPending } from '../../src/sync/read-pending.ts';
import { endFirstSync, readAll, readPorts, storeMails, wholeTask } from './reading-fixture.ts';
import {
  execute,
  makeFolders,
  makePlace,
  type OpenedStore,
  openInProcess,
  openThreaded,
  removeAccount,
  type StorePlace,
  select,
} from './store-fixture.ts';

const claimAt = '2026-11-24T12:00:00.000Z';
const minutesLater = (minutes: number): string => new Date(Date.parse(claimAt) + minutes * 60_000).toISOString();
const claim = (more: Partial<ReadClaim> = {}): ReadClaim => ({
  readerVersion,
  countMax: 10,
  bytesMax: 1_000_000,
  leaseMs: 60_000,
  at: claimAt,
  ...more,
});
const found = (contentId: number, more: Partial<Exclude<Reading, { failure: string }>> = {}): Reading => ({
  contentId,
  text: 'some words',
  html: null,
  preview: 'some words',
  hasAttachments: false,
  attachments: [],
  search: { subject: 's', sender: 'anna', recipients: '', filenames: '', words: '' },
  note: null,
  ...more,
});
const dated = (day: number, text = `mail ${day}`): string =>
  `Date: Tue, ${day} Nov 2026 12:00:00 +0000\r\nMessage-ID: <${text.replaceAll(' ', '')}@x>\r\nSubject: ${text}\r\n\r\n${text}\r\n`;

describe.each([
  ['in process', openInProcess],
  ['behind its thread', openThreaded],
] as const)('reading from a store %s', (_name, open) => {
  let place: StorePlace;
  let opened: OpenedStore;
  let store: Store;
  let emfdid: number;
  let acntid: number;
  beforeEach(async () => {
    place = makePlace();
    opened = await open(place);
    store = opened.store;
    const made = await makeFolders(store, 'INBOX');
    ({ acntid } = made);
    emfdid = made.emfdids[0] ?? 0;
  });
  afterEach(async () => {
    await opened.close();
    place.remove();
  });
  const ids = async (given: ReadClaim): Promise<number[]> =>
    (await store.claimUnread(given)).map(({ contentId }) => contentId);
  const states = (): string[] =>
    select<{ parse_state: string }>(place, 'SELECT parse_state FROM email_contents ORDER BY id').map(
      (row) => row.parse_state,
    );

  it('hands out the newest first, within count and bytes, each content once', async () => {
    await storeMails(store, emfdid, [dated(3), dated(9), dated(1), 'Subject: no date\r\n\r\nx', dated(7)]);
    expect(await store.hasUnread(readerVersion)).toBe(true);
    expect(await store.unreadCount()).toBe(5);
    expect(await ids(claim({ countMax: 2 }))).toEqual([2, 5]);
    expect(await ids(claim({ bytesMax: 1 }))).toEqual([1]);
    expect(await ids(claim())).toEqual([3, 4]);
    expect(await ids(claim())).toEqual([]);
  });
  it('gives a content whose claim was abandoned out again, alone, and gives it up after the second time', async () => {
    await storeMails(store, emfdid, [dated(1), dated(2), dated(3)]);
    expect(await ids(claim({ countMax: 2 }))).toEqual([3, 2]);
    expect(await ids(claim({ at: minutesLater(0.5) }))).toEqual([1]);
    expect(await ids(claim({ at: minutesLater(2) }))).toHaveLength(1);
    expect(await ids(claim({ at: minutesLater(2) }))).toHaveLength(1);
    expect(await ids(claim({ at: minutesLater(2) }))).toHaveLength(1);
    expect(await ids(claim({ at: minutesLater(2) }))).toEqual([]);
    expect(await ids(claim({ at: minutesLater(4) }))).toEqual([]);
    expect(states()).toEqual(['failed', 'failed', 'failed']);
    expect((await store.unreadable({ limit: 10 })).map(({ reason }) => reason)).toEqual(
      Array.from({ length: 3 }, () => 'reading was begun 2 times and ended neither time'),
    );
  });
  it('counts a claim of an earlier engine as abandoned at once', async () => {
    await storeMails(store, emfdid, [dated(1), dated(2)]);
    await store.raiseEpoch();
    expect(await ids(claim())).toEqual([2, 1]);
    await store.raiseEpoch();
    expect(await ids(claim())).toHaveLength(1);
  });
  it('takes a claim back that was not begun, as if it had not been made', async () => {
    await storeMails(store, emfdid, [dated(1), dated(2)]);
    for (let time = 0; time < 5; time += 1) {
      expect(await ids(claim())).toEqual([2, 1]);
      await store.releaseUnread([2, 1]);
    }
    await ids(claim());
    expect(await ids(claim({ at: minutesLater(2) }))).toEqual([1]);
    await store.releaseUnread([1]);
    expect(await ids(claim({ at: minutesLater(2) }))).toEqual([1]);
    expect(select(place, 'SELECT content_id, tries FROM reading_claims WHERE content_id = 1')).toEqual([
      { content_id: 1, tries: 2 },
    ]);
  });
  it('writes all of a reading with the end of its claim, and tells applications', async () => {
    await storeMails(store, emfdid, [dated(1)]);
    await endFirstSync(store, emfdid, 1);
    await ids(claim());
    const attachments = [
      { part: '2', filename: 'a.pdf', contentType: 'application/pdf', size: 3, disposition: null, cid: null },
    ];
    const reading = found(1, { html: '<p>', hasAttachments: true, attachments, note: 'cut at: text' });
    expect(await store.recordRead({ readings: [reading], readerVersion, at: claimAt })).toEqual({
      readCount: 1,
      failedCount: 0,
    });
    expect(await store.messageContent(1)).toMatchObject({
      text: 'some words',
      html: '<p>',
      attachments,
      hasAttachments: true,
      parseState: 'parsed',
      parseNote: 'cut at: text',
      path: 'INBOX',
    });
    expect(select(place, 'SELECT * FROM reading_claims')).toEqual([]);
    expect(select(place, "SELECT kind, email_message_id FROM email_changes WHERE kind = 'message_read'")).toEqual([
      { kind: 'message_read', email_message_id: 1 },
    ]);
  });
  it('passes over what is gone or was read meanwhile', async () => {
    await storeMails(store, emfdid, [dated(1), dated(2)]);
    await ids(claim());
    await store.recordRead({ readings: [found(1)], readerVersion, at: claimAt });
    const again = [found(1, { text: 'other' }), { contentId: 1, failure: 'late' }, found(99)];
    expect(await store.recordRead({ readings: again, readerVersion, at: claimAt })).toEqual({
      readCount: 0,
      failedCount: 0,
    });
    expect((await store.messageContent(1))?.text).toBe('some words');
  });
  it('fails a reading alone that cannot be stored', async () => {
    await storeMails(store, emfdid, [dated(1), dated(2)]);
    await ids(claim());
    const part = { part: '1', filename: null, contentType: 'x/y', size: 1, disposition: null, cid: null };
    const readings = [found(1, { attachments: [part, part] }), found(2)];
    expect(await store.recordRead({ readings, readerVersion, at: claimAt })).toEqual({ readCount: 1, failedCount: 1 });
    expect(states()).toEqual(['failed', 'parsed']);
    expect((await store.unreadable({ acntid, limit: 10 }))[0]?.reason).toMatch(/could not be stored: UNIQUE/);
  });
  it('takes what failed up again for a newer reader, and for no other', async () => {
    await storeMails(store, emfdid, [dated(1)]);
    await ids(claim());
    await store.recordRead({ readings: [{ contentId: 1, failure: 'no' }], readerVersion, at: claimAt });
    await store.threadMessages(10);
    expect([await store.hasUnread(readerVersion), await ids(claim({ at: minutesLater(9) }))]).toEqual([false, []]);
    expect(await store.hasUnread(readerVersion + 1)).toBe(true);
    expect(await ids(claim({ readerVersion: readerVersion + 1 }))).toEqual([1]);
    await store.recordRead({ readings: [found(1)], readerVersion: readerVersion + 1, at: claimAt });
    expect(states()).toEqual(['parsed']);
  });
  it('reads everything there is, once, and then finds nothing to do', async () => {
    await storeMails(
      store,
      emfdid,
      Array.from({ length: 300 }, (_, index) => dated((index % 28) + 1, `mail number ${index}`)),
    );
    expect(await readAll(store)).toMatchObject({ readCount: 300, failedCount: 0, threadedCount: 300, hasMore: false });
    expect(await readAll(store)).toMatchObject({ readCount: 0, threadedCount: 0, hasMore: false });
    expect(await store.hasUnread(readerVersion)).toBe(false);
    expect(select(place, 'SELECT COUNT(*) AS n FROM email_texts')).toEqual([{ n: 300 }]);
  });
  it('stops at its bounds and says that there is more', async () => {
    await storeMails(
      store,
      emfdid,
      Array.from({ length: 300 }, (_, index) => dated(1, `mail number ${index}`)),
    );
    expect(await readPending(readPorts(store), { countMax: 7, msMax: 60_000 })).toMatchObject({
      readCount: 7,
      hasMore: true,
    });
    expect(await readPending(readPorts(store), { countMax: 7, msMax: 0 })).toMatchObject({
      readCount: 0,
      hasMore: true,
    });
    expect(await store.unreadCount()).toBe(293);
  });
  it('stops when it is told to, keeps what it has read and holds no claim', async () => {
    await storeMails(
      store,
      emfdid,
      Array.from({ length: 300 }, (_, index) => dated(1, `mail number ${index}`)),
    );
    const stop = new AbortController();
    const contentRaw = (id: number) => {
      if (reads++ === 10) stop.abort();
      return store.contentRaw(id);
    };
    let reads = 0;
    const ports = readPorts({ ...store, contentRaw }, { signal: stop.signal });
    await expect(readPending(ports, wholeTask)).rejects.toMatchObject({ code: 'aborted' });
    expect(states().filter((state) => state === 'parsed')).toHaveLength(11);
    expect(select(place, 'SELECT * FROM reading_claims')).toEqual([]);
    expect(await readAll(store)).toMatchObject({ readCount: 289 });
  });
  it('throws what the store throws and lets go of what it had claimed', async () => {
    await storeMails(store, emfdid, [dated(1), dated(2)]);
    const failure = new Error('the disk is full');
    const ports = readPorts({ ...store, recordRead: () => Promise.reject(failure) });
    await expect(readPending(ports, wholeTask)).rejects.toBe(failure);
    expect(select(place, 'SELECT * FROM reading_claims')).toEqual([]);
  });
  it('counts bytes that are missing as a failure of that content', async () => {
    await storeMails(store, emfdid, [dated(1), dated(2)]);
    execute(place, 'DELETE FROM email_raw WHERE content_id = 1');
    expect(await readAll(store)).toMatchObject({ readCount: 1, failedCount: 1 });
    expect((await store.unreadable({ limit: 1 }))[0]).toMatchObject({
      contentId: 1,
      reason: 'its raw bytes are missing',
    });
    expect(await store.unreadable({ emfdid, limit: 1 })).toHaveLength(1);
    expect(await store.unreadable({ emfdid: emfdid + 1, limit: 1 })).toEqual([]);
  });
  it('leaves nothing behind of contents that go with their account', async () => {
    await storeMails(store, emfdid, [dated(1, 'swordfish one'), dated(2, 'swordfish two')]);
    await readAll(store);
    await storeMails(store, emfdid, [dated(3)], 3);
    await ids(claim());
    await removeAccount(store, acntid);
    for (const table of [
      'email_texts',
      'email_attachments',
      'reading_claims',
      'conversation_keys',
      'conversation_merges',
    ])
      expect(select(place, `SELECT COUNT(*) AS n FROM ${table}`), table).toEqual([{ n: 0 }]);
    expect(select(place, "SELECT rowid FROM email_search WHERE email_search MATCH 'swordfish'")).toEqual([]);
    execute(place, "INSERT INTO email_search (email_search) VALUES ('integrity-check')");
  });
  it('gives exports their rows page by page, live ones only', async () => {
    await storeMails(store, emfdid, [dated(1), dated(2), dated(3)]);
    await store.applyVanished({ emfdid, uidValidity: 7, uids: [[2, 2]], at: claimAt });
    expect(await store.exportCount({ acntid })).toBe(2);
    expect(
      (await store.exportRows({ acntid, emfdid, afterId: 0, limit: 1 })).map(({ id, path }) => [id, path]),
    ).toEqual([[1, 'INBOX']]);
    expect((await store.exportRows({ acntid, afterId: 1, limit: 9 })).map(({ id }) => id)).toEqual([3]);
    expect(await store.exportRows({ acntid: acntid + 1, afterId: 0, limit: 9 })).toEqual([]);
  });
});
