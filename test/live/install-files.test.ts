/** `install` on real files, below --root. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInstallation, type Installation, mainFile } from '../support/installation.ts';
import { isRoot, plainUser, plainUserCanRead } from '../support/system.ts';
import { isLinux } from './install-facts.ts';

const quiet = { code: 0, signal: null, stdout: '', stderr: '' };

describe.runIf(isLinux)('backproc install', () => {
  let installation: Installation;
  let below: string;
  beforeAll(() => {
    installation = createInstallation();
    below = join(installation.folder, 'root');
  });
  afterAll(() => installation.remove());

  it.each([
    ['cron', 'etc/cron.d/backproc', 0o644],
    ['systemd', 'etc/systemd/system/backproc.service', 0o644],
    ['sysv', 'etc/init.d/backproc', 0o755],
    ['upstart', 'etc/init/backproc.conf', 0o644],
  ])('%s writes what it prints, twice the same, for everybody to read, and takes it away', async (kind, path, mode) => {
    const file = join(below, path);
    const printed = await installation.command('install', kind, '--print');
    expect([printed.code, printed.stderr]).toEqual([0, '']);
    for (let time = 0; time < 2; time += 1)
      expect(await installation.command('install', kind, '--root', below)).toEqual(quiet);
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual([printed.stdout, mode]);
    expect(readdirSync(dirname(file))).toHaveLength(1);
    for (let time = 0; time < 2; time += 1)
      expect(await installation.command('install', kind, '--root', below, '--remove')).toEqual(quiet);
    expect(existsSync(file)).toBe(false);
  });

  it('leaves alone what is not ours, and what belongs to another installation', async () => {
    const file = join(below, 'etc/cron.d/backproc');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '# by hand\n');
    for (const more of [[], ['--remove']]) {
      const refused = await installation.command('install', 'cron', '--root', below, ...more);
      expect([refused.code, refused.stderr]).toEqual([
        78,
        expect.stringMatching(/is not of this installation.*--name/),
      ]);
    }
    expect(readFileSync(file, 'utf8')).toBe('# by hand\n');
    rmSync(file);
    const other = createInstallation();
    await other.command('install', 'cron', '--root', below);
    const refused = await installation.command('install', 'cron', '--root', below);
    expect([refused.code, refused.stderr]).toEqual([78, expect.stringContaining(other.folder)]);
    expect(await installation.command('install', 'cron', '--root', below, '--name', 'second')).toEqual(quiet);
    expect(readdirSync(join(below, 'etc/cron.d')).sort()).toEqual(['backproc', 'second']);
    other.remove();
  });

  it.each([
    [['cron', '--name', 'with.dot'], 64],
    [['cron', '--user', 'nobody-of-this-name'], 64],
    [['tmpfs', '--size', '1,uid=0'], 64],
    [['task-scheduler'], 64],
    [['cron', '--print', '--remove'], 64],
  ])('%s is refused with one line', async (args, code) => {
    const refused = await installation.command('install', ...args);
    expect([refused.code, refused.stdout]).toEqual([code, '']);
    expect(refused.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('edits fstab below --root, keeps its mode, and stands back from a mount of somebody else’s', async () => {
    const file = join(below, 'etc/fstab');
    const before = '# static\n/dev/sda1 / ext4 defaults 0 1\n';
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, before);
    chmodSync(file, 0o600);
    for (const size of ['64M', '96M', '96M'])
      expect(await installation.command('install', 'tmpfs', '--root', below, '--size', size)).toEqual(quiet);
    const lines = readFileSync(file, 'utf8').split('\n');
    expect([
      lines.length,
      lines.filter((line) => line.includes('size=96M')).length,
      statSync(file).mode & 0o777,
    ]).toEqual([5, 1, 0o600]);
    await installation.command('install', 'tmpfs', '--root', below, '--remove');
    expect(readFileSync(file, 'utf8')).toBe(before);
    writeFileSync(file, `tmpfs ${join(installation.folder, 'data')} tmpfs size=1M 0 0\n`);
    expect((await installation.command('install', 'tmpfs', '--root', below)).code).toBe(78);
    const empty = join(below, 'empty');
    expect(await installation.command('install', 'tmpfs', '--root', empty)).toEqual(quiet);
    expect(readFileSync(join(empty, 'etc/fstab'), 'utf8')).toContain(join(installation.folder, 'data'));
  });

  it.runIf(isRoot())('says what the administrator must type when it may not write', async () => {
    if (!plainUserCanRead(mainFile)) return;
    chmodSync(installation.folder, 0o755);
    const args = [mainFile, 'install', 'cron', '--root', '/'];
    const user = Number(execFileSync('id', ['-u', plainUser], { encoding: 'utf8' }));
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd: installation.folder,
      uid: user,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([
      78,
      expect.stringMatching(/Run: sudo \S+ \S+main.js install cron .*crontab -e: \*\/5 /),
    ]);
    expect(existsSync('/etc/cron.d/backproc')).toBe(false);
  });
});
