/** What a shell, cron or logrotate may hand on: none of it is a defect of ours, and none ends an engine. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { logText, startEngine } from '../support/engine-process.ts';
import { startFakeImap } from '../support/fake-imap-server.ts';
import { addMessage, folder } from '../support/fake-mailbox.ts';
import { createInstallation, type Installation, mainFile } from '../support/installation.ts';
import { canMount, resizeTmpfs, withTmpfs } from '../support/mount.ts';

let installation: Installation;
beforeEach(() => {
  installation = createInstallation();
});
afterEach(() => installation.remove());

describe.runIf(process.platform !== 'win32')('a command', () => {
  it('with an empty TZ works in UTC', async () => {
    expect(await installation.runWith({ TZ: '' }, 'run', '--once')).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await installation.runWith({ TZ: '' }, 'config', 'show', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ BACKPROC_TIME_ZONE: 'UTC' });
  });

  it('to reload says that no engine runs, where none does', async () => {
    expect(await installation.run('reload')).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/^backproc: No engine is running\. on \S+mail\.db \(Nothing, or `backproc start`/),
    });
  });

  it('in a folder that was removed does its work', async () => {
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"';
    const config = join(installation.folder, 'config.json');
    const child = spawn('sh', ['-c', script, process.execPath, mainFile, 'account', 'list', '--config', config], {
      cwd: installation.folder,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, output }).toEqual({ code: 0, output: 'no accounts; see `backproc account add --help`\n' });
  });
});

describe.runIf(process.platform !== 'win32')('an engine that gets SIGUSR1 and SIGUSR2', () => {
  it('goes on, and opens no debugger', async () => {
    const engine = await startEngine(installation);
    let errors = '';
    engine.child.stderr?.on('data', (text: string) => {
      errors += text;
    });
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) engine.child.kill(signal);
    expect((await engine.status()).upSeconds).toBeGreaterThanOrEqual(0);
    expect(await engine.stop()).toBe(0);
    expect({ errors, log: logText(installation).includes('engine stops') }).toEqual({ errors: '', log: true });
  });
});

describe('a store that was there, and is not', () => {
  it('is told: its volume may not be mounted', async () => {
    await installation.run('run', '--once');
    await installation.run('run', '--once');
    expect(logText(installation)).not.toContain('is gone');
    rmSync(installation.storeFile);
    expect(await installation.run('run', '--once')).toMatchObject({ code: 0 });
    expect(logText(installation)).toContain(`${installation.storeFile} is gone: a new, empty store is made.`);
  });
});

describe('a copy of the folder in which an engine runs', () => {
  it('is another installation: its launch works, its commands leave the first engine alone', async () => {
    const engine = await startEngine(installation);
    const copy = join(installation.folder, 'copy');
    for (const name of ['config.json', '.config.json.lock-place', 'store'])
      cpSync(join(installation.folder, name), join(copy, name), { recursive: true, preserveTimestamps: true });
    const inCopy = (...args: string[]) => installation.run(...args, '--config', join(copy, 'config.json'));
    expect(await inCopy('status')).toMatchObject({ code: 3 });
    await inCopy('stop');
    expect(engine.child.exitCode).toBeNull();
    expect(await inCopy('run', '--once')).toMatchObject({ code: 0 });
    expect(logText({ ...installation, folder: copy })).toContain('unless it works where this folder was copied from');
    expect(await engine.stop()).toBe(0);
  });
});

describe('a log folder that cannot be made', () => {
  it('is told once by a pass whose worker thread alone has something to log; the mail is stored', async (test) => {
    const server = await startFakeImap({ folders: [folder('INBOX', 5), folder('Sent', 2)] });
    test.onTestFinished(() => server.stop());
    await installation.addAccount(server.port, 'anna');
    rmSync(join(installation.folder, 'logs'), { recursive: true, force: true });
    writeFileSync(join(installation.folder, 'logs'), 'a file where the folder should be');
    expect(await installation.run('run', '--once')).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^backproc: the log cannot be written: E[^\n]*\n$/),
    });
    expect(installation.query('SELECT COUNT(*) AS count FROM email_messages')).toEqual([{ count: 7 }]);
    rmSync(join(installation.folder, 'logs'));
    mkdirSync(join(installation.folder, 'logs'));
    expect(await installation.run('run', '--once')).toMatchObject({ code: 0, stderr: '' });
  });
});

describe.runIf(canMount())('a disk of the store that is full', () => {
  it('is told by `run --once`, keeps what is stored, and with room again the rest comes', async (test) => {
    const inbox = folder('INBOX', 0);
    for (let count = 0; count < 40; count += 1)
      addMessage(inbox, Buffer.from(`Subject: ${count}\r\n\r\n${`A line ${count}\r\n`.repeat(15_000)}`));
    const server = await startFakeImap({ folders: [inbox] });
    test.onTestFinished(() => server.stop());
    const disk = join(installation.folder, 'store');
    mkdirSync(disk);
    await withTmpfs(disk, '5m', async () => {
      await installation.addAccount(server.port, 'anna');
      expect(await installation.run('run', '--once')).toMatchObject({
        code: 78,
        stderr: expect.stringMatching(/^backproc: The disk of the store is full\. SQLITE_FULL[^\n]*\n$/),
      });
      expect(installation.query('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
      resizeTmpfs(disk, '100m');
      expect(await installation.sync(1)).toMatchObject({ code: 0 });
      expect(installation.query('SELECT COUNT(*) AS count FROM email_messages')).toEqual([{ count: 40 }]);
      await installation.endPasses();
    });
  });
});
