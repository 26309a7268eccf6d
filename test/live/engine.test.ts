/** The engine for months, in seconds: a real Dovecot, the real process, an application that writes SQL beside it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { type Dovecot, hasDovecot, startDovecot } from '../support/dovecot.ts';
import { type EngineProcess, logText, startEngine, until } from '../support/engine-process.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { differences } from '../support/oracle.ts';

const mail = (subject: string): { raw: Buffer } => ({
  raw: Buffer.from(`From: a@b.c\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@test>\r\n\r\nbody of ${subject}\r\n`),
});

/** As an application does it. */
function execute(installation: Installation, sql: string, ...values: unknown[]): void {
  const database = openSqlite(installation.storeFile, { timeout: 10_000 });
  database.prepare(sql).run(...values);
  database.close();
}

const nowInSql = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
const seeUser = (installation: Installation, user: string): void =>
  execute(installation, `INSERT OR REPLACE INTO email_presence (user_id, last_seen_at) VALUES (?, ${nowInSql})`, user);

describe.runIf(hasDovecot())('the engine', () => {
  let dovecot: Dovecot;
  const cleanups: (() => unknown)[] = [];
  beforeAll(async () => {
    dovecot = await startDovecot();
  });
  afterAll(() => dovecot.stop());
  let staged: Installation[] = [];
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') for (const installation of staged) console.error(logText(installation));
    staged = [];
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });

  function stage(config: Record<string, unknown> = {}): Installation {
    const installation = createInstallation(config);
    staged.push(installation);
    cleanups.push(() => installation.remove());
    return installation;
  }
  let userCount = 0;
  async function addUser(installation: Installation, count = 3): Promise<{ acntid: number; user: string }> {
    userCount += 1;
    const user = `engine${userCount}`;
    const client = await dovecot.client(user);
    await client.append(
      'INBOX',
      Array.from({ length: count }, (_, index) => mail(`${user}-${index}`)),
    );
    await client.close();
    return { acntid: await installation.addAccount(dovecot.port, user), user };
  }
  async function run(installation: Installation): Promise<EngineProcess> {
    const engine = await startEngine(installation);
    cleanups.push(async () => {
      engine.child.kill('SIGKILL');
      await engine.ended;
    });
    return engine;
  }
  const deliver = async (user: string, subject: string): Promise<void> => {
    const client = await dovecot.client(user);
    await client.append('INBOX', [mail(subject)]);
    await client.close();
  };
  const hasMail = (installation: Installation, subject: string): boolean =>
    installation.query('SELECT 1 FROM email_contents WHERE subject = ?', subject).length > 0;

  it('copies what it finds, and accounts that are added while it runs', async () => {
    const installation = stage();
    const first = await addUser(installation);
    await run(installation);
    await until(() => hasMail(installation, `${first.user}-2`));
    const second = await addUser(installation);
    await until(() => hasMail(installation, `${second.user}-2`));
    for (const { acntid, user } of [first, second])
      await until(async () => differences(installation, acntid, await dovecot.listing(user)).length === 0);
  });

  it('has new mail of a user who is logged in within two seconds of its delivery, by IDLE', async () => {
    const installation = stage();
    const { acntid, user } = await addUser(installation);
    execute(installation, 'UPDATE email_accounts SET user_id = ? WHERE acntid = ?', user, acntid);
    const engine = await run(installation);
    await until(() => hasMail(installation, `${user}-2`));
    seeUser(installation, user);
    await until(async () => (await engine.status()).hosts.some(({ kept }) => kept === 1));
    // The connection is kept; IDLE begins right after.
    await until(async () => (await engine.status()).threads.every(({ tasks }) => tasks.length === 0));
    for (const round of [1, 2, 3]) {
      const startedMs = performance.now();
      await deliver(user, `${user}-idle-${round}`);
      await until(() => hasMail(installation, `${user}-idle-${round}`), 10_000);
      expect(performance.now() - startedMs).toBeLessThan(2000);
    }
  });

  it('lets go of the connection when the user has gone', async () => {
    const installation = stage({ EMAIL_PRESENCE_TIMEOUT: 10 });
    const { acntid, user } = await addUser(installation);
    execute(installation, 'UPDATE email_accounts SET user_id = ? WHERE acntid = ?', user, acntid);
    const engine = await run(installation);
    seeUser(installation, user);
    const kept = async (): Promise<number> => (await engine.status()).hosts.reduce((sum, host) => sum + host.kept, 0);
    await until(async () => (await kept()) === 1);
    execute(installation, 'DELETE FROM email_presence');
    await until(async () => (await kept()) === 0);
  });

  it('goes on when an account is removed in the middle of its first sync, and nothing of it comes back', async () => {
    const installation = stage();
    const kept = await addUser(installation);
    const { acntid } = await addUser(installation, 4000);
    await run(installation);
    const rowsOf = (table: string): number =>
      installation.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table} WHERE acntid = ?`, acntid)[0]?.n ?? 0;
    await until(() => rowsOf('email_messages') > 0);
    const removed = await installation.command('account', 'remove', String(acntid), '--yes');
    expect(removed).toMatchObject({ code: 0, stderr: '' });
    await deliver(kept.user, `${kept.user}-later`);
    expect(await installation.command('sync', String(kept.acntid))).toMatchObject({ code: 0, stderr: '' });
    expect(differences(installation, kept.acntid, await dovecot.listing(kept.user))).toEqual([]);
    for (const table of ['email_accounts', 'email_folders', 'email_messages'])
      expect([table, rowsOf(table)]).toEqual([table, 0]);
    expect(installation.query('SELECT COUNT(*) AS n FROM email_contents')).toEqual([{ n: 4 }]);
    expect(logText(installation)).not.toMatch(/bug|defect/i);
    expect(logText(installation, 'threading-error')).toBe('');
  });

  it('does at once what `sync` asks for, and tells how it ended', async () => {
    const installation = stage();
    const { acntid, user } = await addUser(installation);
    await run(installation);
    await until(() => hasMail(installation, `${user}-2`));
    await deliver(user, `${user}-asked`);
    const outcome = await installation.run('sync', String(acntid), '--json');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(outcome.stdout)).toMatchObject({ acntid, error: null });
    expect(hasMail(installation, `${user}-asked`)).toBe(true);
    expect((await installation.run('sync', String(acntid), 'No such folder')).code).toBe(64);
  });

  it('takes a password and a switch that an application writes in SQL', async () => {
    const installation = stage();
    const { acntid, user } = await addUser(installation);
    execute(installation, "UPDATE email_accounts SET new_password = 'wrong', enabled = 0 WHERE acntid = ?", acntid);
    const engine = await run(installation);
    await until(() => installation.query('SELECT 1 FROM email_accounts WHERE new_password IS NOT NULL').length === 0);
    expect(hasMail(installation, `${user}-2`)).toBe(false);
    execute(installation, "UPDATE email_accounts SET new_password = 'pw', enabled = 1 WHERE acntid = ?", acntid);
    await until(() => hasMail(installation, `${user}-2`));
    execute(installation, 'UPDATE email_accounts SET enabled = 0');
    await until(async () => (await engine.status()).accounts === 0);
  });

  it('stops on SIGTERM within seconds, leaves no files of its own, and the lock free', async () => {
    const installation = stage();
    await addUser(installation);
    const engine = await run(installation);
    const startedMs = performance.now();
    expect(await engine.stop()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(existsSync(join(installation.folder, 'pid/backproc.pid'))).toBe(false);
    expect(existsSync(`${installation.storeFile}.engine`)).toBe(false);
    expect((await installation.run('status')).code).toBe(3);
    expect((await installation.run('stop')).code).toBe(0);
  });

  it('starts in the background, restarts, and stops, by command', async () => {
    const installation = stage();
    const { user } = await addUser(installation);
    expect(await installation.run('start')).toMatchObject({ code: 0, stderr: '' });
    cleanups.push(() => installation.run('stop', '--hard'));
    await until(() => hasMail(installation, `${user}-2`));
    const pidOf = async (): Promise<number> =>
      (JSON.parse((await installation.run('status', '--json')).stdout) as { pid: number }).pid;
    const before = await pidOf();
    expect((await installation.run('start')).code).toBe(0);
    expect(await pidOf()).toBe(before);
    expect((await installation.run('restart')).code).toBe(0);
    expect(await pidOf()).not.toBe(before);
    expect((await installation.run('stop')).code).toBe(0);
    expect((await installation.run('status')).code).toBe(3);
  });

  it('takes a changed configuration on reload, and keeps the old one when the new one is wrong', async () => {
    const installation = stage();
    await addUser(installation);
    const engine = await run(installation);
    const configFile = join(installation.folder, 'config.json');
    writeFileSync(configFile, JSON.stringify({ BG_MAX_THREADS: 3, BACKPROC_NODE_ID: 'other' }));
    const outcome = await installation.run('reload');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toContain('BACKPROC_NODE_ID');
    expect(logText(installation)).toContain('changed: BG_MAX_THREADS');
    writeFileSync(configFile, JSON.stringify({ BG_MAX_THREADS: 'many' }));
    engine.child.kill('SIGHUP');
    await until(() => logText(installation).includes('configuration not read again'));
    writeFileSync(configFile, '{}');
    expect((await engine.status()).pid).toBe(engine.child.pid);
  });

  it('is rebuilt from the store when its job database is deleted, cut short or overwritten while it runs', async () => {
    const installation = stage({ EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL_NL: 1, BACKPROC_NODE_ID: 'here' });
    const { user } = await addUser(installation);
    const engine = await run(installation);
    const jobFile = join(installation.folder, 'data/here.db');
    for (const [index, harm] of [
      () => rmSync(jobFile, { force: true }),
      () => writeFileSync(jobFile, 'this is no database'),
      () => writeFileSync(jobFile, readFileSync(jobFile).subarray(0, 4096)),
    ].entries()) {
      harm();
      await deliver(user, `${user}-after-${index}`);
      await until(() => hasMail(installation, `${user}-after-${index}`));
    }
    expect((await engine.status()).accounts).toBe(1);
  });

  it('writes nothing to stdout or stderr, and no line that is out of form', async () => {
    const installation = stage();
    const { user } = await addUser(installation);
    const engine = await run(installation);
    await until(() => hasMail(installation, `${user}-2`));
    await engine.stop();
    const lines = logText(installation).trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]\[#\d+\.t\d+\] .*[^ ]$/);
    expect(lines.some((line) => line.includes('engine stops'))).toBe(true);
  });
});
