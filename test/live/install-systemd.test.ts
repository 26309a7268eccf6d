/** The unit, judged by systemd's own checker, and its sandbox, with a whole pass in it. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemdUnit } from '../../src/cli/install/systemd.ts';
import { startFakeImap } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { createInstallation, mainFile } from '../support/installation.ts';
import { canUnshare, hasProgram, plainUser, plainUserCanRead } from '../support/system.ts';
import { factsIn, isLinux, makeFolder, odd } from './install-facts.ts';

const place = makeFolder();

describe.runIf(isLinux && hasProgram('/usr/bin/systemd-analyze', 'systemd'))('the unit', () => {
  it.each([
    ['plain', 'plain'],
    ['with a path of odd characters', odd],
  ])('%s passes systemd-analyze verify without a word', (_, name) => {
    const home = join(place, name);
    const installFolder = join(home, 'program');
    mkdirSync(join(installFolder, 'docs'), { recursive: true });
    const file = join(place, 'backproc.service');
    writeFileSync(
      file,
      systemdUnit(factsIn(home, { installFolder, main: join(installFolder, 'main.js'), webPort: 80 })),
    );
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });
  it('exposes less than a service usually does', () => {
    const file = join(place, 'backproc.service');
    writeFileSync(file, systemdUnit(factsIn('/srv/backproc', { user: plainUser, group: plainUser })));
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', file], { encoding: 'utf8' });
    const level = /exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
    // Without any sandbox: 9.2.
    expect(Number(level)).toBeLessThan(3);
  });
});

/** `Key=value` of a unit; a list's quotes are for paths that these tests do not use. */
const setting = (unit: string, key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

/**
 * The sandbox of the unit without systemd as process 1: the same mounts, no capability, no new privileges, the unit's user.
 * (Its system call filter was checked by strace: of 64 calls of a pass only pkey_alloc is not in @system-service, a probe of
 * V8's that may fail.)
 */
async function inSandbox(unit: string, command: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const mounts = setting(unit, 'ReadWritePaths')
    .split(' ')
    .map((path) => `mount --bind ${path} ${path}`);
  const homes = setting(unit, 'ProtectHome') === 'true' ? ['/root', '/home'] : [];
  const script = [
    ...mounts,
    'mount -o remount,bind,ro /',
    ...homes.map((home) => `mount -t tmpfs -o ro,mode=0 tmpfs ${home}`),
    `umask ${setting(unit, 'UMask')}`,
    `cd ${setting(unit, 'WorkingDirectory')}`,
    `exec setpriv --reuid=${setting(unit, 'User')} --regid=${setting(unit, 'Group')} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"`,
  ].join('\n');
  const args = ['--mount', '--propagation', 'private', 'sh', '-e', '-c', script, 'sh', ...command];
  const child = spawn('unshare', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
}

describe.runIf(isLinux && canUnshare() && plainUserCanRead(mainFile))('the sandbox of the unit', () => {
  it('lets the engine do a whole pass, with its files for the group alone, and write nowhere else', async () => {
    const server = await startFakeImap({ folders: [folder('INBOX', 30)] });
    const installation = createInstallation();
    // The installation of a test lies in /tmp, which its unit therefore leaves open.
    const elsewhere = mkdtempSync('/srv/backproc-elsewhere-');
    chmodSync(elsewhere, 0o777);
    try {
      await installation.addAccount(server.port, 'anna');
      const unit = systemdUnit(factsIn(installation.folder, { user: plainUser, group: plainUser }));
      for (const name of ['data', 'logs', 'pid']) mkdirSync(join(installation.folder, name));
      execFileSync('chown', ['-R', `${plainUser}:${plainUser}`, installation.folder]);
      chmodSync(installation.folder, 0o755);
      const config = ['--config', join(installation.folder, 'config.json')];
      const pass = await inSandbox(unit, [process.execPath, mainFile, 'sync', '1', ...config]);
      expect(pass).toEqual({ code: 0, stderr: '' });
      expect(installation.query('SELECT COUNT(*) AS n FROM email_raw')).toEqual([{ n: 30 }]);
      const [log = ''] = readdirSync(join(installation.folder, 'logs'));
      expect(statSync(join(installation.folder, 'logs', log)).mode & 0o777).toBe(0o660);
      const outside = await inSandbox(unit, ['touch', join(elsewhere, 'x')]);
      expect([outside.code, outside.stderr]).toEqual([1, expect.stringMatching(/Read-only file system/)]);
    } finally {
      await server.stop();
      installation.remove();
      rmSync(elsewhere, { recursive: true });
    }
  });
});
