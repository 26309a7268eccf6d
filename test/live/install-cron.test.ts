/** The crontab, judged by cron's own parser, and by a real cron that launches the engine from it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { personalCronLine } from '../../src/cli/install/cron.ts';
import { startFakeImap } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { createInstallation } from '../support/installation.ts';
import { canUnshare, hasProgram } from '../support/system.ts';
import { factsIn, isLinux, makeFolder, odd } from './install-facts.ts';

const place = makeFolder();

describe.runIf(isLinux && hasProgram('/usr/bin/crontab', 'cron'))('the line for a crontab', () => {
  it.each(['plain', odd])('is accepted by cron’s own parser in %s', (name) => {
    const file = join(place, 'crontab');
    writeFileSync(file, `*/5 * * * * ${personalCronLine(factsIn(join(place, name)))}\n`);
    expect(spawnSync('crontab', ['-n', file]).status).toBe(0);
    writeFileSync(file, `*/5 * * * ${personalCronLine(factsIn(join(place, name)))}\n`);
    expect(spawnSync('crontab', ['-n', file]).status).toBe(1);
  });
});

/** Cron looks once a minute: a test takes that long, most of it asleep. */
const cronMs = 75_000;

describe.runIf(isLinux && hasProgram('/usr/sbin/cron', 'cron') && canUnshare())('a real cron', () => {
  it('launches the engine from the file that `install cron` writes', { timeout: cronMs + 30_000 }, async () => {
    const server = await startFakeImap({ folders: [folder('INBOX', 5)] });
    const installation = createInstallation();
    let cron: ChildProcess | undefined;
    try {
      await installation.addAccount(server.port, 'anna');
      const config = join(installation.folder, `${odd}.json`);
      copyFileSync(join(installation.folder, 'config.json'), config);
      await installation.run('install', 'cron', '--config', config, '--root', installation.folder);
      const file = join(installation.folder, 'etc/cron.d/backproc');
      // Every minute instead of every fifth: otherwise as installed.
      writeFileSync(file, readFileSync(file, 'utf8').replace('\n*/5 ', '\n* '));
      cron = startCron(file);
      const endMs = performance.now() + cronMs;
      const count = (): unknown => installation.query('SELECT COUNT(*) AS n FROM email_raw')[0];
      while (JSON.stringify(count()) !== '{"n":5}' && performance.now() < endMs) await wait(250);
      expect(count()).toEqual({ n: 5 });
    } finally {
      if (cron) await stop(cron);
      await installation.run('stop');
      await server.stop();
      installation.remove();
    }
  });
});

/** In mounts of its own: it sees no crontab of this machine, and its pid file is nobody's. */
function startCron(file: string): ChildProcess {
  const script = `
    for folder in /etc/cron.d /var/spool/cron /run; do mount -t tmpfs -o mode=755 tmpfs $folder; done
    mkdir -p /var/spool/cron/crontabs
    mount --bind /dev/null /etc/crontab
    cp "$1" /etc/cron.d/backproc
    exec /usr/sbin/cron -f`;
  const args = ['--mount', '--propagation', 'private', 'sh', '-e', '-c', script, 'sh', file];
  return spawn('unshare', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
