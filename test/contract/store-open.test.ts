import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { migrations } from '../../src/store/sqlite/migrate.ts';
import { openReader, openWriter } from '../../src/store/sqlite/open.ts';
import { execute, makePlace, newAccount, openInProcess, type StorePlace, select } from './store-fixture.ts';

const newest = migrations.at(-1)?.number;
const mode = (file: string): number => statSync(file).mode & 0o7777;

describe('opening the database', () => {
  let place: StorePlace;
  beforeEach(() => {
    place = makePlace();
  });
  afterEach(() => place.remove());

  it('creates folder and file for the group, with large pages and a WAL', () => {
    const database = openWriter(place.file);
    expect([mode(dirname(place.file)), mode(place.file)]).toEqual([0o2770, 0o660]);
    // temp_store: in memory, removing an account took time by the square of its mail (docs/decisions.md).
    const pragmas = [
      'page_size',
      'journal_mode',
      'synchronous',
      'foreign_keys',
      'user_version',
      'journal_size_limit',
      'temp_store',
    ];
    expect(pragmas.map((name) => database.pragma(name, { simple: true }))).toEqual([
      16384,
      'wal',
      2,
      1,
      newest,
      67108864,
      0,
    ]);
    database.close();
  });
  it('refuses a newer database and changes no byte of it', () => {
    openWriter(place.file).close();
    execute(place, 'PRAGMA user_version = 99');
    const before = readFileSync(place.file);
    expect(() => openWriter(place.file)).toThrow(expect.objectContaining({ code: 'store_newer' }));
    expect(() => openReader(place.file)).toThrow(expect.objectContaining({ code: 'store_newer' }));
    expect(readFileSync(place.file).equals(before)).toBe(true);
  });
  it('copies an older database aside, then migrates it', () => {
    openWriter(place.file).close();
    const known = [...migrations, { number: 99, sql: 'CREATE TABLE email_more (id INTEGER PRIMARY KEY)' }];
    openWriter(place.file, known).close();
    expect(select(place, 'PRAGMA user_version')).toEqual([{ user_version: 99 }]);
    expect(select({ ...place, file: `${place.file}.before-migration-99` }, 'PRAGMA user_version')).toEqual([
      { user_version: newest },
    ]);
    expect(readdirSync(dirname(place.file)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
  it('leaves the older database as it was when a migration fails', () => {
    openWriter(place.file).close();
    const known = [...migrations, { number: 99, sql: 'CREATE TABLE email_more (id INTEGER); SELECT nonsense;' }];
    expect(() => openWriter(place.file, known)).toThrow();
    expect(select(place, "SELECT COUNT(*) AS n FROM sqlite_master WHERE name = 'email_more'")).toEqual([{ n: 0 }]);
  });
  it("takes neither a file that is no database nor another program's database", () => {
    mkdirSync(dirname(place.file), { recursive: true });
    writeFileSync(place.file, 'this is no database, and long enough to be looked at. '.repeat(20));
    expect(() => openWriter(place.file)).toThrow(expect.objectContaining({ code: 'store_corrupt' }));
    const other = { ...place, file: `${place.file}.other` };
    execute(other, 'CREATE TABLE theirs (id INTEGER)');
    expect(() => openWriter(other.file)).toThrow(expect.objectContaining({ code: 'store_corrupt' }));
    expect(select(other, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }]);
  });
  it('lets applications insert with nothing but what the contract asks of them', async () => {
    const { store, close } = await openInProcess(place);
    const acntid = await store.addAccount(newAccount('anna@example.com'));
    execute(place, `INSERT INTO email_outbox (acntid, raw) VALUES (${acntid}, 'Subject: x')`);
    execute(place, `INSERT INTO email_actions (acntid, kind) VALUES (${acntid}, 'delete')`);
    execute(place, "UPDATE email_accounts SET user_id = 'u1', enabled = 0");
    expect(() => execute(place, "INSERT INTO email_presence VALUES ('u1', '2026-11-24 12:00')")).toThrow(/CHECK/);
    expect(() => execute(place, "UPDATE email_outbox SET state = 'sent'")).toThrow(/CHECK/);
    expect(select(place, 'SELECT state, created_at IS NOT NULL AS dated FROM email_outbox')).toEqual([
      { state: 'queued', dated: 1 },
    ]);
    await close();
  });
  it('says store_busy when another program keeps the database locked', () => {
    openWriter(place.file).close();
    const other = openSqlite(place.file);
    other.exec('BEGIN IMMEDIATE');
    const database = openWriter(place.file);
    database.pragma('busy_timeout = 1');
    expect(() => database.exec('BEGIN IMMEDIATE')).toThrow(/locked/);
    other.exec('ROLLBACK');
    other.close();
    database.close();
  });
});

describe('the key file', () => {
  let place: StorePlace;
  beforeEach(() => {
    place = makePlace();
  });
  afterEach(() => place.remove());

  it('is made for the first password, readable for its owner alone', async () => {
    const { store, close } = await openInProcess(place);
    await store.addAccount(newAccount('a@example.com'));
    expect(existsSync(place.keyFile)).toBe(false);
    await store.addAccount(newAccount('b@example.com', { password: 'x' }));
    expect([mode(place.keyFile), readFileSync(place.keyFile).length]).toEqual([0o600, 32]);
    await close();
  });
  it('is refused when others can read it', async () => {
    const opened = await openInProcess(place);
    const acntid = await opened.store.addAccount(newAccount('a@example.com', { password: 'x' }));
    await opened.close();
    chmodSync(place.keyFile, 0o640);
    const again = await openInProcess(place);
    await expect(again.store.password(acntid)).rejects.toMatchObject({ code: 'secret_key_unsafe' });
    await again.close();
  });
  it('opens a password in no other row, and not with another key', async () => {
    const opened = await openInProcess(place);
    await opened.store.addAccount(newAccount('a@example.com', { acntid: 1, password: 'x' }));
    await opened.store.addAccount(newAccount('b@example.com', { acntid: 2 }));
    execute(
      place,
      'UPDATE email_accounts SET password_sealed = (SELECT password_sealed FROM email_accounts WHERE acntid = 1)',
    );
    await expect(opened.store.password(2)).rejects.toMatchObject({ code: 'secret_unreadable' });
    await opened.close();
    writeFileSync(place.keyFile, Buffer.alloc(32, 1));
    const again = await openInProcess(place);
    await expect(again.store.password(1)).rejects.toMatchObject({ code: 'secret_unreadable' });
    await again.close();
  });
});
