import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { openQueue } from '../../src/queue/open-queue.ts';
import { createInstallation, type Installation } from '../support/installation.ts';

const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

interface Explained {
  readonly next: {
    readonly due: boolean;
    readonly rule: string;
    readonly emfdid: number;
    readonly held_by: string;
  } | null;
  readonly holds: readonly { readonly hold: string }[];
  readonly users: readonly { readonly logged_in_until: string | null }[];
  readonly folders: readonly {
    readonly path: string;
    readonly rules: readonly { readonly rule: string; readonly due: boolean }[];
  }[];
  readonly queue: readonly { readonly running_since: string | null }[] | null;
}

describe('explain and presence', () => {
  let installation: Installation;
  const sql = (text: string): void => {
    const database = openSqlite(installation.storeFile, { timeout: 5000 });
    database.exec(text);
    database.close();
  };
  const explain = async (what: string): Promise<Explained> =>
    JSON.parse((await installation.command('explain', what, '--json')).stdout) as Explained;
  beforeEach(async () => {
    installation = createInstallation({ BACKPROC_NODE_ID: 'node', BACKPROC_TIME_ZONE: 'Europe/Warsaw' });
    await installation.addAccount(1, 'anna');
    sql(`UPDATE email_accounts SET user_id = 'u1', checked_at = '${ago(12)}';
      INSERT INTO email_folders (acntid, path, priority, first_synced_at, recent_synced_at, full_synced_at) VALUES
      (1, 'INBOX', 'high', '${ago(99)}', '${ago(12)}', '${ago(12)}'), (1, 'Old', 'off', NULL, NULL, NULL)`);
  });
  afterEach(() => installation.remove());

  it('say what is due, by which rule, and how that changes when a user comes', async () => {
    expect((await explain('1')).next).toMatchObject({ due: false, rule: 'recent', emfdid: 1, held_by: null });
    expect((await installation.command('presence', 'set', 'u1')).code).toBe(0);
    const present = await explain('1');
    expect(present.next).toMatchObject({ due: true, rule: 'recent' });
    expect(present.users[0]?.logged_in_until).not.toBeNull();
    const text = (await installation.command('explain', '1')).stdout;
    expect(text).toMatch(/account 1, anna@example.com at 127.0.0.1:1/);
    expect(text).toMatch(/user u1 is logged in until/);
    expect(text).toMatch(/next: folder 1 \(INBOX\), by rule "recent", due since/);
    expect(text).toMatch(/Old +off +first +never +off/);
    expect((await installation.command('presence', 'clear', 'u1')).code).toBe(0);
    expect((await explain('1')).next).toMatchObject({ due: false });
    expect((await installation.command('presence', 'set', 'u1', '--at', ago(60))).code).toBe(0);
    expect((await explain('1')).users[0]?.logged_in_until).toBeNull();
  });

  it('say what holds it back', async () => {
    sql(`UPDATE email_accounts SET state = 'backoff', last_error = 'timeout: FETCH', retry_at = '${ago(-45)}'`);
    const held = await explain('1');
    expect(held.next).toMatchObject({ due: false, held_by: 'backoff' });
    expect((await installation.command('explain', '1')).stdout).toMatch(
      /held back \(backoff\) until .*\nlast error: timeout: FETCH/,
    );
    sql(`UPDATE email_accounts SET retry_at = NULL, state = 'ok', enabled = 0;
      INSERT INTO server_rests VALUES ('127.0.0.1:1', 1, '${ago(-5)}', '${ago(1)}', 'timeout: x')`);
    expect((await explain('1')).holds.map(({ hold }) => hold)).toEqual(['disabled', 'server']);
    expect((await explain('1')).next).toBeNull();
  });

  it('name all rules of one folder, and refuse what does not exist', async () => {
    const { folders } = await explain('1,1');
    expect(folders.map(({ path, rules }) => [path, rules.map(({ rule }) => rule)])).toEqual([
      ['INBOX', ['recent', 'full']],
    ]);
    const text = (await installation.command('explain', '1,1')).stdout;
    expect(text).toMatch(/daily +does not apply +low priority: one full sync for each local date, from 20:00 on/);
    const codes = await Promise.all(['2', '1,99', 'x', '1,2,3'].map((what) => installation.command('explain', what)));
    expect(codes.map(({ code }) => code)).toEqual([64, 64, 64, 64]);
    expect((await installation.command('presence', 'set', 'u1', '--at', 'noon')).code).toBe(64);
  });

  it('tell what the engine has in its queue', async () => {
    const folder = join(installation.folder, 'data');
    mkdirSync(folder, { recursive: true });
    const queue = openQueue({
      folder,
      nodeId: 'node',
      isOurs: () => true,
      onProblem: () => undefined,
      onLost: () => undefined,
    });
    const task = {
      kind: 'sync',
      acntid: 1,
      server: '127.0.0.1:1',
      class: 'live',
      dueMs: Date.now(),
      attempts: 0,
      fruitlessCount: 0,
    };
    await queue.put([task, { ...task, kind: 'bulk', class: 'daily', fruitlessCount: 2 }]);
    await queue.start([{ ...task, lateMs: 0 }], Date.now());
    expect((await explain('1')).queue?.map((one) => one.running_since === null)).toEqual([true, false]);
    const text = (await installation.command('explain', '1')).stdout;
    expect(text).toMatch(/queue: sync is running as live since/);
    expect(text).toMatch(/queue: bulk waits as daily, .* after 2 passes in a row/);
    expect(text).toMatch(/budget: 1 passes running on this host, of 20 connections/);
    await queue.close();
  });
});
