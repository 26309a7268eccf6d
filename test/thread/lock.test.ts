/** One engine a store: simultaneous launches, a killed holder, a stopped one, a deleted lock file. Real processes. */
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { logText, until } from '../support/engine-process.ts';
import { type FakeImapServer, startFakeImap } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { createInstallation, type Installation } from '../support/installation.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function stage(): Promise<{ server: FakeImapServer; installation: Installation; acntid: number }> {
  const server = await startFakeImap({ folders: [folder('INBOX', 20)] });
  const installation = createInstallation();
  cleanups.push(() => installation.remove());
  cleanups.push(() => server.stop());
  return { server, installation, acntid: await installation.addAccount(server.port, 'anna') };
}

/** The server answers the listing only when it is released: the holder stays at work for as long as the test needs. */
function holdListing(server: FakeImapServer): Promise<void> {
  return new Promise((resolve) => {
    server.script = ({ verb }) => {
      if (verb !== 'LIST') return undefined;
      resolve();
      return { parts: [] };
    };
  });
}

const quiet = { code: 0, signal: null, stdout: '', stderr: '' };
const epochOf = (installation: Installation): unknown => installation.query('SELECT epoch FROM engine_epoch');

describe('an engine that has just begun', () => {
  async function begin() {
    const { installation, acntid } = await stage();
    const engine = installation.start('run');
    cleanups.push(async () => {
      engine.child.kill('SIGKILL');
      await engine.ended;
    });
    await until(() => existsSync(`${installation.storeFile}.engine`));
    return { installation, acntid, engine };
  }

  it('is waited for by `sync`', async () => {
    const { installation, acntid } = await begin();
    expect(await installation.run('sync', String(acntid))).toEqual(quiet);
  });

  it('is not ended by SIGHUP, and reads its configuration again once it can', async () => {
    const { installation, engine } = await begin();
    engine.child.kill('SIGHUP');
    await until(() => logText(installation).includes('configuration read again') || engine.child.signalCode !== null);
    expect(engine.child.signalCode).toBeNull();
  });
});

describe('launches on one store', () => {
  it('at the same time: one works, the others end with 0 and no word', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { server, installation } = await stage();
      const listed = holdListing(server);
      const launches = Array.from({ length: 6 }, () => installation.start('run', '--once'));
      await listed;
      const losers: unknown[] = [];
      const all = await new Promise<Promise<void>[]>((resolve) => {
        const ends = launches.map(async ({ ended }) => {
          losers.push(await ended);
          if (losers.length === 5) resolve(ends);
        });
      });
      expect(losers).toEqual([quiet, quiet, quiet, quiet, quiet]);
      expect(server.commands.filter((command) => / LIST /.test(command))).toHaveLength(1);
      for (const { child } of launches) child.kill('SIGKILL');
      await Promise.all(all);
    }
  });

  it('after a holder was killed with SIGKILL: the next one works at once', async () => {
    const { server, installation } = await stage();
    const listed = holdListing(server);
    const holder = installation.start('run', '--once');
    await listed;
    holder.child.kill('SIGKILL');
    await holder.ended;
    server.script = undefined;
    expect(await installation.run('run', '--once')).toEqual(quiet);
    expect(installation.query('SELECT id FROM email_messages')).toHaveLength(20);
  });

  it('while the holder is stopped by SIGSTOP: wait for nothing and change nothing', async () => {
    const { server, installation } = await stage();
    const listed = holdListing(server);
    const holder = installation.start('run', '--once');
    await listed;
    holder.child.kill('SIGSTOP');
    expect(await installation.run('run', '--once')).toEqual(quiet);
    holder.child.kill('SIGCONT');
    holder.child.kill('SIGKILL');
    await holder.ended;
  });

  it('by `start` while a single command works: wait for its end, and start an engine then', async () => {
    const { server, installation, acntid } = await stage();
    const listed = holdListing(server);
    const command = installation.start('sync', String(acntid));
    await listed;
    const starting = installation.start('start');
    cleanups.push(() => installation.run('stop', '--hard'));
    const [said] = (await once(starting.child.stderr as Readable, 'data')) as [string];
    expect(said).toBe(`backproc: waiting for process ${command.child.pid}, a single command, to end\n`);
    server.script = undefined;
    command.child.kill('SIGTERM');
    await command.ended;
    expect((await starting.ended).code).toBe(0);
    expect(await installation.run('status')).toMatchObject({ code: 0, stdout: expect.stringContaining('running as') });
  });

  it('with a pid file that a reboot left behind: work', async () => {
    const { server, installation } = await stage();
    const listed = holdListing(server);
    const holder = installation.start('run', '--once');
    await listed;
    expect(existsSync(`${installation.folder}/pid/backproc.pid`)).toBe(true);
    holder.child.kill('SIGKILL');
    await holder.ended;
    server.script = undefined;
    expect(await installation.run('run', '--once')).toEqual(quiet);
    expect(existsSync(`${installation.folder}/pid/backproc.pid`)).toBe(false);
    expect(logText(installation)).toMatch(
      new RegExp(`process ${holder.child.pid}, begun \\S+Z, was killed, or the machine stopped; last beat \\S+Z`),
    );
  });

  it('after an administrator deleted the lock file: the one robbed writes nothing more', async () => {
    const { server, installation, acntid } = await stage();
    const listed = holdListing(server);
    const robbed = installation.start('sync', String(acntid));
    await listed;
    rmSync(`${installation.storeFile}.lock`);
    server.script = undefined;
    expect(await installation.run('sync', String(acntid))).toEqual(quiet);
    const before = [epochOf(installation), installation.query('SELECT COUNT(*) AS count FROM email_changes')];
    expect(logText(installation)).toContain(`process ${robbed.child.pid}, begun `);
    expect(logText(installation)).toContain(', has lost its lock and will end; last beat ');
    robbed.child.kill('SIGTERM');
    expect((await robbed.ended).code).not.toBe(0);
    expect([epochOf(installation), installation.query('SELECT COUNT(*) AS count FROM email_changes')]).toEqual(before);
  });

  it('after an administrator deleted the lock file: the one robbed ends by itself, and says why', async () => {
    const { server, installation, acntid } = await stage();
    const listed = holdListing(server);
    const robbed = installation.start('sync', String(acntid));
    await listed;
    rmSync(`${installation.storeFile}.lock`);
    const line = 'The work was stopped before its end. the lock file was removed (Nothing: the next pass goes on.)';
    expect(await robbed.ended).toEqual({ ...quiet, code: 75, stderr: `backproc: ${line}\n` });
    expect(logText(installation).match(/the lock file was removed/g)).toHaveLength(1);
  });

  it('by `sync` that SIGTERM ends: says that it was cut short', async () => {
    const { server, installation, acntid } = await stage();
    const listed = holdListing(server);
    const command = installation.start('sync', String(acntid));
    await listed;
    command.child.kill('SIGTERM');
    expect(await command.ended).toEqual({ ...quiet, code: 75, stderr: `backproc: account ${acntid}: aborted\n` });
  });
});
