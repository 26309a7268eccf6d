/** `db backup` on real files, while another process writes. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqlite, sqlitePackage } from '../../src/base/sqlite.ts';
import { backupDatabase } from '../../src/store/sqlite/backup.ts';
import { canMount, withTmpfs } from '../support/mount.ts';
import { execute, fill, makeFolders, makePlace, openInProcess, type StorePlace, select } from './store-fixture.ts';

let place: StorePlace;
let folder: string;
let target: string;
beforeEach(async () => {
  place = makePlace();
  const { store, close } = await openInProcess(place);
  const { emfdids } = await makeFolders(store, 'INBOX');
  await fill(store, emfdids[0] ?? 0, 200);
  execute(place, 'CREATE TABLE filler (bytes BLOB)');
  for (let row = 0; row < 24; row += 1) execute(place, 'INSERT INTO filler VALUES (zeroblob(1048576))');
  await close();
  folder = join(dirname(place.file), 'backups');
  mkdirSync(folder);
  target = join(folder, 'copy.db');
});
afterEach(() => place.remove());

const backup = (more: { signal?: AbortSignal; onProgress?: (done: number) => void } = {}) =>
  backupDatabase({
    file: place.file,
    target,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...more,
  });
const inCopy = <Row>(sql: string): Row[] => select<Row>({ ...place, file: target }, sql);

/** Two counters that only ever change together, in a process of its own, until its stdin ends. */
const writerScript = `
  const database = new (require('${sqlitePackage}'))(process.argv[1], { timeout: 10000 });
  database.exec('CREATE TABLE a (n INTEGER); CREATE TABLE z (n INTEGER); INSERT INTO a VALUES (0); INSERT INTO z VALUES (0)');
  const both = database.transaction(() => database.exec('UPDATE a SET n = n + 1; UPDATE z SET n = n + 1'));
  process.stdin.resume().on('end', () => { database.close(); process.exit(); });
  const write = () => { both.immediate(); setImmediate(write); };
  write();
  console.log('writing');`;

describe('a backup', () => {
  it('made while another process commits all the time ends, and is the database of one instant', async () => {
    const writer = spawn(process.execPath, ['-e', writerScript, place.file], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => writer.once('exit', resolve));
    await new Promise((resolve) => writer.stdout.once('data', resolve));
    const progress: number[] = [];
    const bytes = await backup({ onProgress: (done) => progress.push(done) });
    writer.stdin.end();
    await ended;
    const counts = inCopy<{ a: number; z: number }>('SELECT a.n AS a, z.n AS z FROM a, z')[0];
    expect(counts?.a).toBe(counts?.z);
    expect(select<{ n: number }>(place, 'SELECT n FROM a')[0]?.n).toBeGreaterThan(counts?.a ?? 0);
    expect(progress.length).toBeGreaterThan(3);
    expect(progress.every((done, index) => done >= (progress[index - 1] ?? 0) && done <= 1)).toBe(true);
    expect(bytes).toBe(statSync(target).size);
  });

  it('is one file for the group alone, without a WAL, with the number of its last migration', async () => {
    await backup();
    expect(readdirSync(folder)).toEqual(['copy.db']);
    expect(statSync(target).mode & 0o777).toBe(0o660);
    expect(inCopy('PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }]);
    expect(inCopy('PRAGMA user_version')).toEqual(select(place, 'PRAGMA user_version'));
    expect(inCopy('SELECT COUNT(*) AS n FROM email_raw')).toEqual([{ n: 200 }]);
  });

  it('opens as a store after it was put in the place of the lost one', async () => {
    await backup();
    const restored = makePlace();
    mkdirSync(dirname(restored.file), { recursive: true });
    writeFileSync(restored.file, readFileSync(target));
    const { store, close } = await openInProcess(restored);
    expect(await store.ledger(1)).toMatchObject([{ storedCount: 200, pendingCount: 0 }]);
    await close();
    restored.remove();
  });

  it('replaces nothing, and leaves a file alone that came into being while it copied', async () => {
    writeFileSync(target, 'mine');
    await expect(backup()).rejects.toMatchObject({ code: 'usage' });
    expect(readFileSync(target, 'utf8')).toBe('mine');
    target = join(folder, 'other.db');
    const onProgress = (): void => writeFileSync(target, 'quicker');
    await expect(backup({ onProgress })).rejects.toMatchObject({ code: 'usage' });
    expect([readFileSync(target, 'utf8'), readdirSync(folder)]).toEqual(['quicker', ['copy.db', 'other.db']]);
  });

  it('that is stopped leaves nothing behind, and removes what a killed one left', async () => {
    writeFileSync(`${target}.4194305.part`, 'of a process that never was');
    writeFileSync(`${target}.${process.pid}0.notes`, '');
    const stop = new AbortController();
    const stopped = backup({ signal: stop.signal, onProgress: () => stop.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    expect(readdirSync(folder)).toEqual([`copy.db.${process.pid}0.notes`]);
  });

  it('of a damaged database says so and gives no copy', async () => {
    const size = statSync(place.file).size;
    const database = openSqlite(place.file);
    const page = Number(database.pragma('page_size', { simple: true }));
    const root = database
      .prepare<[], { rootpage: number }>("SELECT rootpage FROM sqlite_master WHERE name = 'email_contents'")
      .get();
    database.close();
    const bytes = readFileSync(place.file);
    bytes.fill(0x5a, ((root?.rootpage ?? 1) - 1) * page, (root?.rootpage ?? 1) * page);
    writeFileSync(place.file, bytes);
    await expect(backup()).rejects.toMatchObject({ code: 'store_corrupt' });
    expect([existsSync(target), readdirSync(folder), statSync(place.file).size]).toEqual([false, [], size]);
  });

  it.runIf(canMount())('that does not fit on its disk is refused before it begins', async () => {
    await withTmpfs(folder, '1m', async () => {
      await expect(backup()).rejects.toMatchObject({ code: 'store_full' });
      expect(readdirSync(folder)).toEqual([]);
    });
  });
});
