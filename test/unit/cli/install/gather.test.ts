import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gatherFacts } from '../../../../src/cli/install/gather.ts';
import { loadConfig } from '../../../../src/config/load.ts';

const owner = { user: 'www-data', group: 'www-data', uid: 33, gid: 33 };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backproc-gather-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function gather(config: Record<string, unknown>, name = 'backproc') {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const loaded = await loadConfig({ file, env: {}, cwd: folder, installFolder: folder });
  return gatherFacts(loaded, owner, '/opt/backproc', name);
}

describe('the facts of an installation', () => {
  it('are where it writes, each folder once, and where it reads', async () => {
    const facts = await gather({
      EMAIL_ATTACHMENT_ROOT: '/srv/files',
      EMAIL_PICKUP_LOCATION: 'pickup',
      BACKPROC_PID_LOCATION: 'data',
    });
    expect(facts.writable.map((path) => path.replace(folder, ''))).toEqual(['/store', '/data', '/logs', '/pickup']);
    expect(facts.readable).toEqual([join(folder, 'data'), '/srv/files']);
    expect([facts.main, facts.configFile, facts.webPort]).toEqual([
      '/opt/backproc/dist/main.js',
      join(folder, 'config.json'),
      8025,
    ]);
    expect((await gather({ BACKPROC_WEB_LISTEN: null })).webPort).toBeNull();
  });
  it.runIf(process.platform !== 'win32')('name the shared /tmp where the control socket had to go there', async () => {
    const facts = await gather({ BACKPROC_PID_LOCATION: `/srv/${'long/'.repeat(30)}pid` });
    expect(facts.readable[0]).toMatch(new RegExp(`^${tmpdir()}/backproc-`));
  });
  it.each(['With-Capitals', 'a.b', '../x', ''])('refuse the name %j', async (name) => {
    await expect(gather({}, name)).rejects.toMatchObject({ code: 'usage' });
  });
  it('refuse an installation without a configuration file, and a user that cannot stand in a crontab', async () => {
    const defaults = await loadConfig({ env: {}, cwd: folder, installFolder: folder });
    expect(() => gatherFacts(defaults, owner, '/opt', 'backproc')).toThrow(
      expect.objectContaining({ code: 'config_not_found' }),
    );
    const file = join(folder, 'config.json');
    writeFileSync(file, '{}');
    const loaded = await loadConfig({ file, env: {}, cwd: folder, installFolder: folder });
    expect(() => gatherFacts(loaded, { ...owner, user: 'a b' }, '/opt', 'backproc')).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
  });
});
