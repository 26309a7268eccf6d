/** What an administrator and an application see of mail that was read: show, parts, search, whole folders out. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { incoming, readAll, storeMails } from '../contract/reading-fixture.ts';
import { batch, listedFolder, listing, newAccount } from '../contract/store-fixture.ts';
import { createInstallation, type Installation, mainFile } from '../support/installation.ts';

const fixture = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../fixtures/mail', `${name}.eml`));
const quoted = 'From: bob@example.org\r\nSubject: quoting\r\n\r\nFrom here on\r\n>From there\r\nend without a line end';

describe('mail as data', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = createInstallation();
    const keyFile = join(installation.folder, 'store/secret.key');
    const store = await openSqliteStore({ file: installation.storeFile, keyFile });
    const acntid = await store.addAccount(newAccount('anna@example.com'));
    const create = [listedFolder('INBOX'), listedFolder('Work/../../2026', { delimiter: '/' })];
    const folders = await store.applyFolderPlan(
      acntid,
      { create, update: [], missing: [] },
      '2026-11-24T12:00:00.000Z',
    );
    const [inbox = 0, work = 0] = create.map(({ path }) => folders.find((folder) => folder.path === path)?.emfdid ?? 0);
    await store.recordListing(listing(inbox, 3, [[1, 3]]));
    const flags = ['\\Seen', '\\Flagged \\Seen', ''];
    const raws = [fixture('letter'), fixture('evil-names'), quoted];
    await store.storeBatch(
      batch(
        inbox,
        raws.map((raw, index) => incoming(index + 1, raw, { flags: flags[index] ?? '' })),
      ),
    );
    await storeMails(store, work, [fixture('iso-2022-jp')]);
    await readAll(store);
    await store.close();
  });
  afterAll(() => installation.remove());
  const run = (...args: string[]) => installation.command(...args);
  /** In its folder: targets are relative to it. */
  const launch = (...args: string[]) => installation.run(...args);
  const bytesOf = (...args: string[]): Buffer =>
    spawnSync(process.execPath, [mainFile, ...args], { cwd: installation.folder }).stdout;

  it('is shown with header fields, text and parts', async () => {
    const { code, stdout } = await run('message', 'show', '1');
    expect(code).toBe(0);
    expect(stdout).toContain('Anna Kowalska <anna@example.com>');
    expect(stdout).toContain('Hello Bob, the offer is attached.');
    expect(stdout).toMatch(/2 +Angebot für Groß\.pdf +application\/pdf +19 +attachment/);
    const shown = JSON.parse((await run('message', 'show', '1', '--json')).stdout) as Record<string, unknown>;
    expect(shown).toMatchObject({ subject: 'Letter', parseState: 'parsed', hasAttachments: true, conversationId: 1 });
  });
  it('shows names that want to be more than names as text', async () => {
    const { stdout } = await run('message', 'show', '2');
    expect(stdout).toContain('../../etc/passwd');
    expect(stdout).toContain('rechnung\\u202efdp.exe');
    expect(stdout).not.toContain('\u202e');
  });
  it('gives out a message byte for byte, and a part decoded', async () => {
    expect(bytesOf('message', 'export', '1').equals(fixture('letter'))).toBe(true);
    expect(bytesOf('message', 'export', '1', '--part', '2').toString()).toBe('%PDF-1.4 not really');
    expect(await run('message', 'export', '1', '--part', '9')).toMatchObject({ code: 64, stdout: '' });
    expect(await run('message', 'export', '99')).toMatchObject({ code: 64, stdout: '' });
    expect((await run('message', 'export')).stderr).toMatch(/--mbox FILE/);
  });
  it('is found by words, with snippets', async () => {
    const { stdout } = await run('search', 'offer', '"is attached"', '--account', '1');
    expect(stdout).toMatch(/1 +1 +INBOX .*Letter +Hello Bob, the «offer» «is attached»/);
    const hits = JSON.parse((await run('search', '請求書', '--folder', 'Work/../../2026', '--json')).stdout) as {
      id: number;
    }[];
    expect(hits.map(({ id }) => id)).toEqual([4]);
    expect((await run('search', 'no', 'such', 'words')).stdout).toBe('nothing found\n');
    expect(await run('search', 'offer', '--since', 'yesterday')).toMatchObject({ code: 64 });
    expect((await run('search', 'offer', '--since', '2026-11-25', '--json')).stdout).toBe('[]\n');
    expect((await run('search', '-')).code).toBe(0);
    expect((await run('search', 'offer', '--account', '1', '--folder', 'inbox')).code).toBe(0);
    expect((await run('search', 'offer', '--account', '1', '--folder', 'Inbx')).code).toBe(64);
    expect(await run('search', 'offer', '--folder', 'Inbx')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('No account has a folder "Inbx".'),
    });
    expect(await run('search', 'swordfish', '--folder', 'inbox')).toMatchObject({ code: 0, stdout: 'nothing found\n' });
  });
  it.runIf(existsSync('/dev/full'))('says so when what it prints finds no room', () => {
    const command = `'${process.execPath}' '${mainFile}' message export 1 > /dev/full`;
    const { status, stderr } = spawnSync('sh', ['-c', command], { cwd: installation.folder, encoding: 'utf8' });
    expect([status, stderr]).toEqual([75, expect.stringMatching(/^backproc: .* could not be written: ENOSPC.*\n$/)]);
  });

  it.each([
    ['message', 'export', '--account', '1', '--mbox', 'nowhere/all.mbox'],
    ['message', 'export', '--account', '1', '--maildir', 'config.json/mail'],
    ['db', 'backup', 'config.json/mail.db'],
  ])('says that the target cannot be written: %s %s … %s', async (...words) => {
    const { code, stderr } = await launch(...words);
    expect([code, stderr]).toEqual([64, expect.stringMatching(/^backproc: \S+ cannot be written: E[A-Z]+: .*\.\n$/)]);
  });

  it('goes into an mbox that other programs read, and never over a file that is there', async () => {
    expect(await launch('message', 'export', '--mbox', 'all.mbox', '--account', '1')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
    const text = readFileSync(join(installation.folder, 'all.mbox'), 'utf8');
    expect(text.match(/^From .*$/gm)).toHaveLength(4);
    expect(text).toContain('\n>From here on\n>>From there\nend without a line end\n\n');
    expect(await launch('message', 'export', '--mbox', 'all.mbox', '--account', '1')).toMatchObject({ code: 64 });
    expect(
      (await launch('message', 'export', '--mbox', 'work.mbox', '--account', '1', '--folder', 'Work/../../2026')).code,
    ).toBe(0);
    expect(readFileSync(join(installation.folder, 'work.mbox'), 'latin1').match(/^From .*$/gm)).toHaveLength(1);
    expect((await launch('message', 'export', '--mbox', 'x.mbox', '--account', '1', '--folder', 'None')).code).toBe(64);
    expect((await launch('message', 'export', '--mbox', 'x.mbox')).code).toBe(64);
  });
  const python = spawnSync('python3', ['--version']).status === 0;
  if (!python) console.log('reading the mbox with another program is left out: no python3 here');
  it.runIf(python)('goes into an mbox and a Maildir that Python reads the same messages from', async () => {
    await launch('message', 'export', '--mbox', 'py.mbox', '--account', '1');
    await launch('message', 'export', '--maildir', 'py', '--account', '1', '--folder', 'INBOX');
    const program = `import mailbox
print([m['Subject'] for m in mailbox.mbox('py.mbox')][:3])
print(sorted((m['Subject'], m.get_flags()) for m in mailbox.Maildir('py', create=False)))`;
    const { stdout } = spawnSync('python3', ['-c', program], { cwd: installation.folder, encoding: 'utf8' });
    expect(stdout).toBe("['Letter', 'Names', 'quoting']\n[('Letter', 'S'), ('Names', 'FS'), ('quoting', '')]\n");
  });
  it('goes into a Maildir, folder names harmless, and a second export only completes it', async () => {
    const cur = join(installation.folder, 'mail/cur');
    const exportMail = () => launch('message', 'export', '--maildir', 'mail', '--account', '1');
    expect(await exportMail()).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(readdirSync(join(installation.folder, 'mail')).sort()).toEqual([
      '.Work.&AC4ALg-.&AC4ALg-.2026',
      'cur',
      'new',
      'tmp',
    ]);
    const names = readdirSync(cur).sort();
    expect(names.map((name) => name.replace(/^\d+\.|,S=\d+/g, ''))).toEqual([
      'M1.backproc:2,S',
      'M2.backproc:2,FS',
      'M3.backproc:2,',
    ]);
    expect(readFileSync(join(cur, names[0] ?? '')).equals(fixture('letter'))).toBe(true);
    rmSync(join(cur, names[1] ?? ''));
    truncateSync(join(cur, names[2] ?? ''), 5);
    writeFileSync(join(installation.folder, 'mail/tmp/left-over'), 'x');
    expect((await exportMail()).code).toBe(0);
    expect(readdirSync(cur).sort()).toEqual(names);
    expect(readFileSync(join(cur, names[2] ?? '')).toString()).toBe(quoted);
  });
  it('leaves no half mbox under its name when it is killed', async () => {
    const child = spawn(process.execPath, [mainFile, 'message', 'export', '--mbox', 'killed.mbox', '--account', '1'], {
      cwd: installation.folder,
    });
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    expect(readdirSync(installation.folder)).not.toContain('killed.mbox');
  });
  it('lists no folder that there is not', async () => {
    expect((await run('message', 'list', '--folder', '1', '--json')).stdout).toContain('"id": 1');
    expect((await run('message', 'list', '--folder', '1', '--account', '1')).code).toBe(0);
    for (const more of [[], ['--json'], ['--unread-by-parser']]) {
      const refused = await run('message', 'list', '--folder', '99', ...more);
      expect(refused).toMatchObject({ code: 64, stdout: '', stderr: expect.stringContaining('folder 99') });
    }
  });
  it('lists what could not be read, and rebuilds what was derived', async () => {
    expect((await run('message', 'list', '--unread-by-parser')).stdout).toBe('no messages\n');
    expect((await run('message', 'list', '--unread-by-parser', '--json')).stdout).toBe('[]\n');
    expect(await run('db', 'rebuild', '--search')).toMatchObject({ code: 0, stderr: '' });
    expect((await run('search', 'swordfish', '--json')).stdout).toBe('[]\n');
    expect((await run('search', 'offer', '--json')).stdout).toContain('"id": 1');
    expect((await run('db', 'rebuild', '--conversations', '1')).code).toBe(0);
    expect((await run('db', 'rebuild')).code).toBe(64);
    expect((await run('db', 'check')).code).toBe(0);
  });
  it.each([
    ['message', 'list'],
    ['outbox', 'list'],
    ['search', 'offer'],
  ])('takes a number that no account has for a slip: %s %s', async (...words) => {
    expect(await run(...words, '--account', '99')).toMatchObject({ code: 64, stdout: '' });
  });
  it('is not called damaged for what an application wrote without PRAGMA foreign_keys', async () => {
    const database = openSqlite(installation.storeFile);
    database.pragma('foreign_keys = OFF');
    const mail = `INSERT INTO email_outbox (acntid, to_addresses, subject, body_text) VALUES (99, 'b@example.com', 's', 'b')`;
    expect(() => database.exec(mail)).toThrow('there is no such account');
    database.exec("INSERT INTO email_account_users (acntid, user_id) VALUES (99, 'x')");
    database.close();
    expect((await run('db', 'check')).code).toBe(0);
  });
});
