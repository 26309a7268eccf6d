import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronFile, personalCronLine } from '../../../../src/cli/install/cron.ts';
import { installationIn, markerOf } from '../../../../src/cli/install/facts.ts';
import { services } from '../../../../src/cli/install/services.ts';
import { systemdUnit } from '../../../../src/cli/install/systemd.ts';
import { taskXml } from '../../../../src/cli/install/task-scheduler.ts';
import {
  foreignEntry,
  fstabEntry,
  type TmpfsFacts,
  withEntry,
  withoutEntry,
} from '../../../../src/cli/install/tmpfs.ts';
import { upstartConf } from '../../../../src/cli/install/upstart.ts';
import { facts } from './facts.ts';

describe('every file', () => {
  it.each(services.map((service) => [service.kind, service.text(facts())]))('of %s tells whose it is', (kind, text) => {
    expect(installationIn(text, kind)).toBe('/opt/backproc/config.ts');
    expect(installationIn(text.replaceAll('backproc install', 'other install'), kind)).toBeNull();
    expect(installationIn(text, 'other')).toBeNull();
  });
  it('is known again whatever its configuration is called', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => !text.includes('\n'));
    fc.assert(
      fc.property(name, (file) => {
        expect(installationIn(`# ${markerOf('cron', file)}\nx`, 'cron')).toBe(file);
      }),
    );
  });
});

describe('the crontab', () => {
  it('launches `run` every five minutes as the engine’s user, by absolute paths and with the configuration', () => {
    expect(cronFile(facts()).split('\n').at(-2)).toBe(
      '*/5 * * * * www-data exec /usr/bin/node /opt/backproc/dist/main.js run --config /opt/backproc/config.ts',
    );
    expect(personalCronLine(facts())).toMatch(/^exec \/usr/);
  });
});

describe('the unit', () => {
  const settings = (unit: string): Map<string, string> =>
    new Map([...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]));
  it('is as patient as cron, and waits as long for an end as the engine may take', () => {
    const unit = settings(systemdUnit(facts({ stopGraceSeconds: 100 })));
    expect([unit.get('Restart'), unit.get('StartLimitIntervalSec'), unit.get('TimeoutStopSec')]).toEqual([
      'always',
      '0',
      '115',
    ]);
  });
  it('lets the engine write to its own folders only, and see a home only where something of it lies there', () => {
    const unit = settings(systemdUnit(facts()));
    expect([unit.get('ProtectSystem'), unit.get('ProtectHome'), unit.get('PrivateTmp')]).toEqual([
      'strict',
      'true',
      'true',
    ]);
    expect(unit.get('ReadWritePaths')).toBe(facts().writable.join(' '));
    const home = '/home/edokumenty/public_html/apps/backproc';
    expect(settings(systemdUnit(facts({ writable: [`${home}/store`] }))).get('ProtectHome')).toBe('read-only');
    expect(settings(systemdUnit(facts({ node: '/root/.nvm/node' }))).get('ProtectHome')).toBe('read-only');
    const shared = settings(systemdUnit(facts({ readable: ['/var/tmp/spool'] })));
    expect(shared.get('PrivateTmp')).toBe('false');
    expect(shared.get('ReadWritePaths')).toMatch(/ \/tmp \/var\/tmp$/);
  });
  it('makes a data folder in /run itself, and warns of one in /dev/shm', () => {
    const folder = '/run/backproc';
    const unit = settings(systemdUnit(facts({ dataFolder: folder, writable: ['/opt/backproc/store', folder] })));
    expect([unit.get('RuntimeDirectory'), unit.get('ReadWritePaths')]).toEqual(['backproc', '/opt/backproc/store']);
    expect(systemdUnit(facts({ dataFolder: '/dev/shm/backproc' }))).toContain('RemoveIPC');
    expect(systemdUnit(facts())).not.toMatch(/RemoveIPC|RuntimeDirectory/);
  });
  it('may listen on a low port only when the configuration says one', () => {
    expect(settings(systemdUnit(facts({ webPort: 80 }))).get('AmbientCapabilities')).toBe('CAP_NET_BIND_SERVICE');
    for (const webPort of [8025, null])
      expect(settings(systemdUnit(facts({ webPort }))).get('CapabilityBoundingSet')).toBe('');
  });
  it('does not forbid what V8 and the pid file need', () => {
    const unit = settings(systemdUnit(facts()));
    for (const name of ['MemoryDenyWriteExecute', 'ProcSubset', 'PrivateUsers', 'DynamicUser'])
      expect(unit.has(name)).toBe(false);
  });
});

describe('the upstart job', () => {
  /** init(5), those that a job of ours may use. */
  const stanzas = [
    'description',
    'start',
    'stop',
    'setuid',
    'setgid',
    'umask',
    'limit',
    'chdir',
    'kill',
    'respawn',
    'exec',
    'post-stop',
  ];
  it('is made of documented stanzas, one a line, with one thing to run', () => {
    const lines = upstartConf(facts())
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines.map((line) => line.split(' ')[0]).filter((word) => !stanzas.includes(word ?? ''))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('exec '))).toHaveLength(1);
    expect(upstartConf(facts({ stopGraceSeconds: 1 }))).toContain('kill timeout 16\n');
  });
});

describe('the lines of fstab', () => {
  const tmpfs = (more: Partial<TmpfsFacts> = {}): TmpfsFacts => ({
    configFile: '/opt/backproc/config.ts',
    dataFolder: '/opt/backproc/data',
    uid: 33,
    gid: 1001,
    size: '128M',
    ...more,
  });
  it('give owner and mode, which a tmpfs forgets at every boot', () => {
    expect(fstabEntry(tmpfs())).toBe(
      'tmpfs /opt/backproc/data tmpfs rw,noatime,nosuid,nodev,noexec,mode=2770,uid=33,gid=1001,size=128M 0 0',
    );
  });
  it('come, stay, change and go without another byte of the file', () => {
    const line = fc.string({ maxLength: 30 }).map((text) => text.replaceAll('\n', ' '));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), line, (above, below) => {
        const before = above.map((one) => `${one}\n`).join('');
        const installed = withEntry(before, tmpfs());
        expect(withEntry(installed, tmpfs())).toBe(installed);
        const longer = `${installed}${below}\n`;
        const changed = withEntry(longer, tmpfs({ size: '1G' }));
        expect(changed).toBe(longer.replace('size=128M', 'size=1G'));
        expect(withoutEntry(changed, tmpfs())).toBe(`${before}${below}\n`);
        expect(withoutEntry(before, tmpfs())).toBe(before);
      }),
    );
  });
  it('begin on a line of their own where the last one has no end', () => {
    expect(withEntry('/dev/sda1 / ext4 defaults 0 1', tmpfs()).split('\n')[0]).toBe('/dev/sda1 / ext4 defaults 0 1');
  });
  it('stand back from a mount that somebody else made there', () => {
    const foreign = 'tmpfs  /opt/backproc/data\ttmpfs size=64M 0 0';
    expect(foreignEntry(`# /opt/backproc/data\n${foreign}\n`, tmpfs())).toBe(foreign);
    expect(foreignEntry(withEntry('/dev/sda1 / ext4 defaults 0 1\n', tmpfs()), tmpfs())).toBeUndefined();
  });
});

describe('the task for Windows', () => {
  it('starts every five minutes and at boot, beside none that runs, and is never ended', () => {
    const xml = taskXml(facts({ main: 'C:\\Program Files\\backproc\\dist\\main.js' }));
    for (const part of [
      '<Interval>PT5M</Interval>',
      '<BootTrigger>',
      '<MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>',
      '<StartWhenAvailable>true</StartWhenAvailable>',
      '<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>',
      '<WorkingDirectory>/opt/backproc</WorkingDirectory>',
      '<Arguments>&quot;C:\\Program Files\\backproc\\dist\\main.js&quot; run --config /opt/backproc/config.ts</Arguments>',
    ])
      expect(xml).toContain(part);
  });
  it('runs as LOCAL SERVICE unless a user is named, whose password it then does not need', () => {
    expect(taskXml({ ...facts(), user: null })).toMatch(/<UserId>S-1-5-19<\/UserId>\n {6}<RunLevel>/);
    expect(taskXml({ ...facts(), user: 'CORP\\mail' })).toMatch(/<UserId>CORP\\mail<\/UserId>\n {6}<LogonType>S4U/);
  });
});
