/** `doctor` on a real installation: what it finds, what it puts right, and what it leaves alone. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sqlitePackage } from '../../src/base/sqlite.ts';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { startEngine } from '../support/engine-process.ts';
import { folder } from '../support/fake-mailbox.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { startScenario } from './scenario.ts';

interface Answer {
  readonly code: number | null;
  readonly stderr: string;
  readonly state: string;
  readonly findings: Finding[];
  readonly repairs: string[];
  /** States of one check. */
  readonly of: (check: string) => string[];
}

async function ask(installation: Installation, ...options: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await installation.command('doctor', '--json', ...options);
  const answer = JSON.parse(stdout) as Pick<Answer, 'state' | 'findings' | 'repairs'>;
  const of = (check: string): string[] =>
    answer.findings.filter((finding) => finding.check === check).map(({ state }) => state);
  return { code, stderr, ...answer, of };
}

const synced = async (config: Record<string, unknown> = {}) => {
  const scenario = await startScenario({ folders: [folder('INBOX', 5)] }, config);
  expect((await scenario.sync()).code).toBe(0);
  await scenario.installation.command('doctor', '--repair');
  return scenario;
};
const jobFile = (installation: Installation): string => join(installation.folder, 'data', `${hostname()}.db`);
/** As the engine makes its files: the group's too. */
function write(file: string, text: string): void {
  writeFileSync(file, text);
  chmodSync(file, 0o660);
}
const damage = (file: string): void => write(file, 'no database, and long enough to look like something. '.repeat(100));

describe('doctor', () => {
  it('finds a sound installation well, logs in, and says each thing to do for the rest', async () => {
    const { installation } = await synced();
    const answer = await ask(installation);
    expect([answer.code, answer.stderr, answer.findings.filter(({ state }) => state === 'bad')]).toEqual([0, '', []]);
    for (const check of [
      'node',
      'config',
      'permissions',
      'disk',
      'lock',
      'job-state',
      'store',
      'wal',
      'key',
      'clock',
      'login',
    ])
      expect([check, new Set(answer.of(check))]).toEqual([check, new Set(['ok'])]);
    for (const { state, todo } of answer.findings) expect(todo === null).toBe(state === 'ok');
    const { stdout } = await installation.command('doctor', '--deep', '--accounts', 'all');
    expect(stdout.split('\n').filter((line) => /^(ok {2}|WARN|BAD ) {2}\S/.test(line))).toHaveLength(
      answer.findings.length,
    );
  });

  it('makes nothing where nothing is', async () => {
    const installation = createInstallation();
    expect((await ask(installation)).code).toBe(0);
    expect(readdirSync(installation.folder)).toEqual(['config.json']);
    installation.remove();
  });

  it('names every mistake of a configuration, and a configuration that is missing', async () => {
    const installation = createInstallation({ BG_MAX_THREAD: 1, BG_LOG_LEVEL: 'loud' });
    const answer = await ask(installation);
    expect([answer.code, answer.of('config')]).toEqual([1, ['bad', 'bad']]);
    const missing = await ask(installation, '--config', 'nowhere.json');
    expect([missing.code, missing.of('config'), missing.stderr]).toEqual([1, ['bad'], '']);
    expect((await installation.command('doctor', '--accounts', 'some')).code).toBe(64);
    installation.remove();
  });

  it('tells a refused login from a server out of reach, and asks nobody when told so', async () => {
    const { installation, server } = await synced();
    server.script = ({ verb, tag }) =>
      verb === 'LOGIN' || verb === 'AUTHENTICATE' ? { parts: [`${tag} NO [AUTHENTICATIONFAILED] no\r\n`] } : undefined;
    const refused = await ask(installation);
    expect([refused.code, refused.of('login')]).toEqual([1, ['bad']]);
    const asked = server.connectionCount;
    expect((await ask(installation, '--accounts', '0')).of('login')).toEqual([]);
    expect(server.connectionCount).toBe(asked);
    await server.stop();
    const away = await ask(installation);
    expect([away.code, away.of('login')]).toEqual([0, ['warn']]);
  });

  it('puts right what E12 had people do by hand, says so, and does it once', async () => {
    const { installation, acntid } = await synced();
    damage(jobFile(installation));
    for (const name of ['store/mail.db.engine', 'pid/backproc.pid'])
      write(join(installation.folder, name), JSON.stringify({ pid: 4_194_305, bootId: 'x', startTicks: '1' }));
    chmodSync(join(installation.folder, 'logs'), 0o755);
    chmodSync(join(installation.folder, 'store/secret.key'), 0o644);
    const before = await ask(installation);
    expect([before.code, before.of('job-state'), before.of('lock')]).toEqual([1, ['bad'], ['warn']]);
    expect(before.of('permissions')).toEqual(['bad', 'bad', 'warn']);
    const repaired = await ask(installation, '--repair');
    expect([repaired.code, repaired.of('job-state'), repaired.of('lock'), repaired.of('permissions')]).toEqual([
      0,
      ['ok'],
      ['ok'],
      ['ok'],
    ]);
    expect(repaired.repairs.map((text) => text.replaceAll(`${installation.folder}/`, '').split(' ')[0])).toEqual([
      'logs:',
      'store/secret.key:',
      'removed',
      'removed',
      'removed',
    ]);
    expect([
      existsSync(jobFile(installation)),
      statSync(join(installation.folder, 'store/secret.key')).mode & 0o777,
    ]).toEqual([false, 0o600]);
    expect((await ask(installation, '--repair')).repairs).toEqual([]);
    expect((await installation.run('sync', String(acntid))).code).toBe(0);
  });

  it('asks a running engine, and has nothing to say against what belongs to it', async () => {
    const { installation } = await synced();
    const engine = await startEngine(installation);
    try {
      const answer = await ask(installation, '--repair', '--accounts', '0');
      expect([answer.code, answer.repairs]).toEqual([0, []]);
      for (const check of ['permissions', 'lock', 'engine', 'job-state', 'store', 'wal'])
        expect([check, new Set(answer.of(check))]).toEqual([check, new Set(['ok'])]);
    } finally {
      await engine.stop();
    }
    expect((await ask(installation, '--accounts', '0')).of('engine')).toEqual([]);
  });

  it('has nothing to say against what the first start of an engine makes', async () => {
    const installation = createInstallation();
    const engine = await startEngine(installation);
    try {
      expect((await ask(installation, '--accounts', '0')).of('permissions')).toEqual(['ok']);
    } finally {
      await engine.stop();
      installation.remove();
    }
  });

  it('leaves everything of a live engine to it', async () => {
    // It waits for the server while doctor looks.
    const { installation, server, acntid } = await synced({ EMAIL_NETWORK_TIMEOUT: 60 });
    const listed = new Promise<void>((resolve) => {
      server.script = ({ verb }) => {
        if (verb !== 'LIST') return undefined;
        resolve();
        return { parts: [] };
      };
    });
    const engine = installation.start('sync', String(acntid));
    await listed;
    damage(jobFile(installation));
    const pidFile = join(installation.folder, 'pid/backproc.pid');
    const answer = await ask(installation, '--repair', '--accounts', '0');
    expect(answer.findings.find(({ check }) => check === 'lock')?.found).toMatch(
      new RegExp(`^engine ${engine.child.pid},`),
    );
    expect(answer.repairs).toEqual([expect.stringMatching(/^not done: the job database is left/)]);
    expect([existsSync(jobFile(installation)), existsSync(pidFile)]).toEqual([true, true]);
    engine.child.kill('SIGSTOP');
    if (process.platform === 'linux') {
      const stopped = await ask(installation, '--accounts', '0');
      expect([stopped.code, stopped.of('lock')]).toEqual([1, ['bad']]);
    }
    engine.child.kill('SIGKILL');
    await engine.ended;
    expect((await ask(installation, '--accounts', '0')).of('lock')).toEqual(['warn']);
  });

  it('says that a store is damaged, or another program’s or version’s, and changes no byte of it', async () => {
    const { installation } = await synced();
    const bytes = readFileSync(installation.storeFile);
    const page = bytes.readUInt16BE(16);
    const spoiled = Buffer.from(bytes);
    spoiled.fill(0x5a, page * 2, page * 3);
    writeFileSync(installation.storeFile, spoiled);
    const damaged = await ask(installation, '--repair', '--accounts', '0');
    expect([damaged.code, damaged.of('store').includes('bad')]).toEqual([1, true]);
    expect(readFileSync(installation.storeFile).equals(spoiled)).toBe(true);
    damage(installation.storeFile);
    expect((await ask(installation, '--accounts', '0')).of('store')).toEqual(['bad']);
    const checked = await installation.run('db', 'check');
    expect([checked.code, checked.stderr.trim().split('\n').length]).toEqual([78, 1]);
  });

  it('says that the key of stored passwords is missing, or none', async () => {
    const { installation } = await synced();
    const key = join(installation.folder, 'store/secret.key');
    writeFileSync(key, '');
    expect((await ask(installation, '--accounts', '0')).of('key')).toEqual(['bad']);
    rmSync(key);
    expect((await ask(installation, '--accounts', '0')).of('key')).toEqual(['bad']);
  });

  it.runIf(process.platform === 'linux')('names the program that keeps a read open', async () => {
    const { installation } = await synced();
    const script = `
      const database = new (require('${sqlitePackage}'))(process.argv[1], { readonly: true });
      database.exec('BEGIN');
      database.prepare('SELECT COUNT(*) FROM email_messages').get();
      process.stdin.resume().on('end', () => process.exit());
      console.log('reading');`;
    const reader = spawn(process.execPath, ['-e', script, installation.storeFile], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => reader.stdout.once('data', resolve));
    const answer = await ask(installation, '--accounts', '0');
    expect(answer.findings.find(({ check }) => check === 'wal')?.found).toContain(
      `process ${reader.pid} (node) keeps a read open`,
    );
    const gone = new Promise((resolve) => reader.once('exit', resolve));
    reader.stdin.end();
    await gone;
  });

  it('follows no link out of its folders, however it is called', async () => {
    const { installation } = await synced();
    const secret = join(installation.folder, 'theirs');
    writeFileSync(secret, '');
    chmodSync(secret, 0o604);
    symlinkSync(secret, join(installation.folder, 'logs/20200101-info.log'));
    mkdirSync(join(installation.folder, 'logs/20200102-info.log'));
    expect((await ask(installation, '--repair')).repairs).toEqual([]);
    expect(statSync(secret).mode & 0o777).toBe(0o604);
  });
});
