/**
 * docs/operations.md, run: every block of commands, in the order of an administrator's life, on an installation in a temp folder.
 * Paths, user and server are replaced by the test's; what would change this machine (useradd, npm) is a stand-in.
 */
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { type FakeImapServer, startFakeImap } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { mainFile } from '../support/installation.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');
const blocks = new Map(
  [...page.matchAll(/^```sh (\S+)\n([\s\S]*?)^```$/gm)].map(([, name = '', text = '']) => [name, text]),
);

let home: string;
let server: FakeImapServer;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'backproc-operations-'));
  server = await startFakeImap({ folders: [folder('INBOX', 5)] });
  copyFileSync(join(root, 'config.example.ts'), join(home, 'config.example.ts'));
  mkdirSync(join(home, 'backups'));
  mkdirSync(join(home, 'root/etc'), { recursive: true });
  writeFileSync(join(home, 'root/etc/fstab'), '');
});
afterAll(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

/** The words of the page become those of the test. */
const localised = (text: string): string =>
  text
    .replaceAll('/opt/backproc', home)
    .replaceAll('/var/backups', join(home, 'backups'))
    .replaceAll('/root/', `${join(home, 'backups')}/`)
    .replaceAll('backproc:www-data', '"$(id -un):$(id -gn)"')
    .replaceAll('imaps://anna%40example.com@mail.example.com:993', `imap://anna@127.0.0.1:${server.port}`);

const standIns = (): string => `
  umask 0007
  PASSWORD=pw
  useradd() { :; }
  npm() { :; }
  backproc() {
    if [ "$1" = install ]; then '${process.execPath}' '${mainFile}' "$@" --config '${home}/config.ts' --root '${home}/root'
    else '${process.execPath}' '${mainFile}' "$@" --config '${home}/config.ts'; fi
  }
`;

async function sh(script: string): Promise<{ code: number | null; output: string }> {
  const child = spawn('sh', ['-e', '-c', `${standIns()}\n${localised(script)}`], { cwd: home });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

async function runBlock(name: string): Promise<string> {
  const { code, output } = await sh(blocks.get(name) ?? 'exit 99');
  expect({ name, code, output }).toMatchObject({ code: 0 });
  return output;
}

const count = (table: string): unknown => {
  const database = openSqlite(join(home, 'store/mail.db'), { readonly: true });
  const row = database.prepare(`SELECT COUNT(*) AS n FROM ${table}`).get() as { n: number };
  database.close();
  return row.n;
};

const outboxStates = (): unknown[] => {
  const database = openSqlite(join(home, 'store/mail.db'), { readonly: true });
  const states = database.prepare('SELECT state FROM email_outbox').pluck().all();
  database.close();
  return states;
};

describe.runIf(process.platform === 'linux')('docs/operations.md', () => {
  it('has blocks for these steps and no others', () => {
    const tested = ['setup', 'account', 'cron', 'systemd', 'tmpfs', 'health', 'backup', 'restore', 'repair', 'upgrade'];
    expect([...blocks.keys()]).toEqual(tested);
    expect(page.match(/^```/gm)).toHaveLength(blocks.size * 2);
  });

  it('sets up an installation, an account, and what launches it', async () => {
    await runBlock('setup');
    await runBlock('account');
    expect(await runBlock('cron')).not.toMatch(/^BAD/m);
    expect(readFileSync(join(home, 'root/etc/cron.d/backproc'), 'utf8')).toContain(`--config ${home}/config.ts`);
    await runBlock('systemd');
    await runBlock('tmpfs');
    expect(readFileSync(join(home, 'root/etc/fstab'), 'utf8')).toContain('size=128M');
  });

  it('tells how it is, once a pass was made', async () => {
    expect(await sh('backproc sync 1')).toEqual({ code: 0, output: '' });
    const output = await runBlock('health');
    expect(output).toContain('all 1 folders agree');
    expect(output).toMatch(/received 5 new messages in \d+s \[1,1\]/);
  });

  it('brings everything back from a backup after the store was lost, and what came since', async () => {
    const mail = 'backproc outbox send --account 1 --to bob@example.com --subject S --text T';
    expect(await sh(mail)).toEqual({ code: 0, output: '1\n' });
    await runBlock('backup');
    expect(readdirSync(join(home, 'backups')).sort()).toEqual(['backproc-secret.key', 'mail.db']);
    const { messages } = folder('INBOX', 7);
    server.folders[0]?.messages.push(...messages.slice(5));
    if (server.folders[0]) server.folders[0].uidNext = 8;
    await sh('backproc sync 1');
    expect(count('email_messages')).toBe(7);
    expect(outboxStates()).toEqual(['queued']);
    writeFileSync(join(home, 'store/mail.db'), 'lost '.repeat(10_000));
    expect((await sh('backproc doctor --accounts 0')).code).toBe(1);
    await runBlock('restore');
    expect(outboxStates()).toEqual(['held']);
    expect([count('email_messages'), existsSync(join(home, 'store/broken/mail.db'))]).toEqual([5, true]);
    expect(await sh('backproc sync 1 && backproc verify 1 --deep')).toMatchObject({
      code: 0,
      output: expect.stringContaining('all 1 folders agree'),
    });
    expect(count('email_messages')).toBe(7);
  });

  it('repairs what a dead engine left, and upgrades', async () => {
    writeFileSync(join(home, 'pid/backproc.pid'), '{"pid":4194305}', { mode: 0o660 });
    expect(await runBlock('repair')).toContain(`repair: removed ${home}/pid/backproc.pid`);
    await runBlock('upgrade');
  });

  it('explains every check of doctor, and none that there is not', async () => {
    const { output } = await sh('backproc doctor --json');
    const { findings } = JSON.parse(output) as { findings: { check: string }[] };
    const section = page.split("### What doctor's findings mean")[1]?.split('\n## ')[0] ?? '';
    // Told only while an engine runs.
    const found = new Set([...findings.map(({ check }) => check), 'engine']);
    const explained = [...section.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name ?? '');
    expect(found).toEqual(new Set(explained));
  });
});
