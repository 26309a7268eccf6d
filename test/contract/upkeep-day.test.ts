/** The upkeep of an engine that runs for months, on a real store and log folder, with a clock of the test's. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog, type Log } from '../../src/base/log.ts';
import { openSqlite } from '../../src/base/sqlite.ts';
import { createUpkeep, type Upkeep } from '../../src/upkeep/upkeep.ts';
import {
  batch,
  execute,
  fill,
  mail,
  makeFolders,
  makePlace,
  type OpenedStore,
  openInProcess,
  type StorePlace,
  select,
} from './store-fixture.ts';

const dayMs = 86_400_000;
let place: StorePlace;
let opened: OpenedStore;
let log: Log;
let folder: string;
let wallMs: number;
let monotonicMs: number;
const stop = new AbortController();

beforeEach(async () => {
  place = makePlace();
  opened = await openInProcess(place);
  folder = join(dirname(place.file), 'logs');
  wallMs = Date.parse('2026-11-23T22:30:00Z');
  monotonicMs = 0;
  log = createLog({
    folder,
    level: 'info',
    format: 'line',
    timeZone: 'UTC',
    thread: 't0',
    clock: () => new Date(wallMs),
  });
});
afterEach(async () => {
  log.close();
  await opened.close();
  place.remove();
});

function start(more: { signal?: AbortSignal } = {}): Upkeep {
  return createUpkeep({
    store: opened.store,
    storeFile: place.file,
    config: {
      BACKPROC_LOG_LOCATION: folder,
      BACKPROC_TIME_ZONE: 'Europe/Warsaw',
      BG_LOG_RETENTION_DAYS: 20,
      EMAIL_TOMBSTONE_RETENTION_DAYS: 3,
      EMAIL_CHANGES_RETENTION_DAYS: 3,
      EMAIL_OUTBOX_RETENTION_DAYS: null,
    },
    log,
    clock: () => new Date(wallMs),
    monotonicMs: () => monotonicMs,
    signal: stop.signal,
    ...more,
  });
}
const pass = (ms: number): void => {
  wallMs += ms;
  monotonicMs += ms;
};
const logged = (): string =>
  existsSync(folder)
    ? readdirSync(folder)
        .map((name) => readFileSync(join(folder, name), 'utf8'))
        .join('')
        .replaceAll(/^.*\] /gm, '')
    : '';

describe('the upkeep', () => {
  it('works at its start and once after each local midnight, and says what went', async () => {
    const { emfdids } = await makeFolders(opened.store, 'INBOX');
    await fill(opened.store, emfdids[0] ?? 0, 3);
    await opened.store.applyVanished({
      emfdid: emfdids[0] ?? 0,
      uidValidity: 7,
      uids: [[1, 2]],
      at: '2026-11-21T12:00:00.000Z',
    });
    log.info('today');
    writeFileSync(join(folder, '20261101-info.log'), '');
    const upkeep = start();
    await upkeep.tick();
    await upkeep.tick();
    expect(logged()).toBe('today\nremoved 1 old log files\n');
    // 00:30 in Warsaw, still the 23rd by UTC.
    pass(3_600_000);
    await upkeep.tick();
    expect(select(place, 'SELECT COUNT(*) AS n FROM email_messages')).toEqual([{ n: 3 }]);
    for (let day = 0; day < 3; day += 1) {
      pass(dayMs);
      await upkeep.tick();
    }
    expect(logged()).toContain('expired: 2 rows of vanished messages, ');
    expect(logged()).toContain('expired: 2 contents\n');
    expect(select(place, 'SELECT COUNT(*) AS n FROM email_contents')).toEqual([{ n: 1 }]);
    expect(await opened.store.storeSizes()).toHaveLength(4);
  });

  it('removes nothing on the word of a clock that was set years forward', async () => {
    const { emfdids } = await makeFolders(opened.store, 'INBOX');
    await fill(opened.store, emfdids[0] ?? 0, 1);
    await opened.store.applyVanished({
      emfdid: emfdids[0] ?? 0,
      uidValidity: 7,
      uids: [[1, 1]],
      at: '2026-11-23T22:00:00.000Z',
    });
    log.info('kept');
    const upkeep = start();
    await upkeep.tick();
    wallMs += 10 * 365 * dayMs;
    await upkeep.tick();
    wallMs -= 10 * 365 * dayMs;
    await upkeep.tick();
    expect(select(place, 'SELECT COUNT(*) AS n FROM email_messages')).toEqual([{ n: 1 }]);
    expect(logged()).toBe('kept\n');
  });

  it('cuts a large WAL, warns by name of who keeps it, and tells when it could be cut again', async () => {
    const { emfdids } = await makeFolders(opened.store, 'INBOX');
    const emfdid = emfdids[0] ?? 0;
    await fill(opened.store, emfdid, 1);
    const upkeep = start();
    const grow = (uid: number) => {
      const raw = new Uint8Array(68 * 1024 * 1024).fill(uid);
      return opened.store.storeBatch(batch(emfdid, [mail(uid, `large ${uid}`, { raw })]));
    };
    const application = openSqlite(place.file, { readonly: true });
    application.exec('BEGIN');
    application.prepare('SELECT COUNT(*) FROM email_messages').get();
    await grow(2);
    for (const ms of [0, 30_000, 31_000, 1000]) {
      pass(ms);
      await upkeep.tick();
    }
    const who = process.platform === 'linux' ? `process ${process.pid} \\(backproc\\)` : 'some program';
    expect(logged()).toMatch(
      new RegExp(`^the WAL has \\d\\d MiB and could not be emptied for 61 s: ${who} keeps a read open\\n$`),
    );
    application.close();
    await upkeep.tick();
    expect(logged()).toContain('the WAL could be emptied again, after 62 s\n');
    await grow(3);
    await upkeep.tick();
    expect(logged().split('\n')).toHaveLength(3);
  });

  it('logs trouble and goes on the next day; after a stop it does nothing', async () => {
    const upkeep = start();
    execute(place, 'ALTER TABLE store_sizes RENAME TO away');
    await upkeep.tick();
    expect(logged()).toMatch(/^upkeep: .*no such table: store_sizes/);
    execute(place, 'ALTER TABLE away RENAME TO store_sizes');
    pass(dayMs);
    await Promise.all([upkeep.tick(), upkeep.tick()]);
    expect(await opened.store.storeSizes()).toHaveLength(1);
    const stopped = AbortSignal.abort();
    pass(dayMs);
    await start({ signal: stopped }).tick();
    expect(await opened.store.storeSizes()).toHaveLength(1);
  });
});
