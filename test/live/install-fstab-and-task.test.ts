/** The line of fstab, judged by findmnt and mount, and the task for Windows, by its documented elements. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { taskXml } from '../../src/cli/install/task-scheduler.ts';
import { fstabEntry } from '../../src/cli/install/tmpfs.ts';
import { canMount } from '../support/mount.ts';
import { hasProgram } from '../support/system.ts';
import { factsIn, isLinux, makeFolder, odd, root } from './install-facts.ts';

const place = makeFolder();

describe.runIf(isLinux && hasProgram('/usr/bin/findmnt', 'util-linux'))('the line of fstab', () => {
  const prepare = (name: string): { fstab: string; data: string } => {
    const data = join(place, name);
    mkdirSync(data, { recursive: true });
    const fstab = join(place, 'fstab');
    const owner = { uid: 33, gid: 34, size: '1M' };
    writeFileSync(fstab, `${fstabEntry({ configFile: join(place, 'config.json'), dataFolder: data, ...owner })}\n`);
    return { fstab, data };
  };
  it.each(['data', `data ${odd} \\ #`])('passes findmnt --verify for a folder called %s', (name) => {
    const { fstab } = prepare(name);
    const { status, stdout } = spawnSync('findmnt', ['--verify', '--tab-file', fstab], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^Success/m)]);
  });
  it.runIf(canMount())('mounts a RAM disk that belongs to the engine and its group', () => {
    const { fstab, data } = prepare(`data ${odd} \\ #`);
    execFileSync('mount', ['--fake', '-T', fstab, data]);
    execFileSync('mount', ['-T', fstab, data]);
    try {
      const { mode, uid, gid } = statSync(data);
      expect([mode & 0o7777, uid, gid]).toEqual([0o2770, 33, 34]);
      expect(execFileSync('findmnt', ['-n', '-o', 'FSTYPE', data], { encoding: 'utf8' }).trim()).toBe('tmpfs');
    } finally {
      execFileSync('umount', [data]);
    }
  });
});

describe.runIf(isLinux && hasProgram('/usr/bin/xmllint', 'libxml2-utils'))('the task for Windows', () => {
  const schema = join(root, 'test/fixtures/task-scheduler.xsd');
  const check = (xml: string): number | null => {
    const file = join(place, 'task.xml');
    writeFileSync(file, xml);
    return spawnSync('xmllint', ['--noout', '--schema', schema, file], { encoding: 'utf8' }).status;
  };
  it.each([null, 'CORP\\mail'])(
    'has the documented elements, in their order, with values in their bounds (user %s)',
    (user) => {
      const facts = { ...factsIn(`C:\\Program Files\\<&>"backproc"`), user };
      expect(check(taskXml(facts))).toBe(0);
      expect(check(taskXml(facts).replace('IgnoreNew', 'Ignore'))).not.toBe(0);
    },
  );
});
