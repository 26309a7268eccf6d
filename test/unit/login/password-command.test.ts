import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createCommandPasswords } from '../../../src/login/command-passwords.ts';
import { fillCommand, runPasswordCommand } from '../../../src/login/password-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'backproc-command-'));
afterAll(() => rmSync(folder, { recursive: true }));
const never = new AbortController().signal;
const subject = { acntid: 5, email: 'anna@example.com', user: 'anna', host: 'mail.example.com', protocol: 'imap' };
const failed = (detail: RegExp): unknown =>
  expect.objectContaining({ code: 'password_command_failed', detail: expect.stringMatching(detail) as unknown });

/** Node is what runs everywhere. */
const script = (code: string, ...args: string[]): string[] => [process.execPath, '-e', code, ...args];

describe('the arguments of a password command', () => {
  it('are filled in, each in its place', () => {
    expect(fillCommand(['pass', 'show', 'mail/{email}', '{acntid}', '--for={protocol}', '{other}'], subject)).toEqual([
      'pass',
      'show',
      'mail/anna@example.com',
      '5',
      '--for=imap',
      '{other}',
    ]);
  });
  it('can’t become options, the program, or more than one', () => {
    fc.assert(
      fc.property(fc.string(), (user) => {
        const argv = ['pass', 'show', '{user}', 'x/{user}'];
        try {
          const filled = fillCommand(argv, { ...subject, user });
          expect(filled).toEqual(['pass', 'show', user, `x/${user}`]);
          expect(user.startsWith('-')).toBe(false);
        } catch (error) {
          expect(error).toEqual(failed(/option|control/));
        }
      }),
    );
    expect(() => fillCommand(['{user}'], subject)).toThrow(failed(/the program/));
    expect(() => fillCommand(['pass', '{user}'], { ...subject, user: '-rf' })).toThrow(failed(/an option/));
    expect(() => fillCommand(['pass', 'x{user}'], { ...subject, user: 'a\nb' })).toThrow(failed(/control/));
  });
});

describe('a password command', () => {
  it('gives the first line of its output, whatever follows', async () => {
    const code = "process.stdout.write('ge heim ✓\\r\\nuser: anna\\n')";
    expect(await runPasswordCommand(script(code), never)).toBe('ge heim ✓');
  });
  it('is run by no shell', async () => {
    const argv = script('console.log(process.argv[1])', '$(id); `id` > x & "');
    expect(await runPasswordCommand(argv, never)).toBe('$(id); `id` > x & "');
  });
  it.each([
    ['ends with an error', "console.log('secret'); process.exit(3)", /exit code 3/],
    ['prints nothing', '', /no password/],
    ['prints an empty line', 'console.log()', /no password/],
    ['prints without end', "setInterval(() => process.stdout.write('x'.repeat(65536)), 1)", /does not end/],
  ])('that %s fails, and what it printed is not repeated', async (_title, code, why) => {
    const error = await runPasswordCommand(script(code), never).catch((thrown: unknown) => thrown);
    expect(error).toEqual(failed(why));
    expect(String(error)).not.toContain('secret');
  });
  it('that does not exist fails', async () => {
    await expect(runPasswordCommand([join(folder, 'nothing')], never)).rejects.toEqual(failed(/ENOENT/));
  });
  it('need not wait for an agent that it left behind', async () => {
    const pidFile = join(folder, 'agent');
    const file = join(folder, 'leaves-agent');
    writeFileSync(file, `#!/bin/sh\nsleep 300 &\necho $! > ${pidFile}\necho pw\n`);
    chmodSync(file, 0o700);
    expect(await runPasswordCommand([file], never)).toBe('pw');
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
  });
  it('ends with all that it started when nobody waits any more', async () => {
    const stopping = new AbortController();
    const started = join(folder, 'started');
    const file = join(folder, 'slow');
    writeFileSync(file, `#!/bin/sh\nsleep 300 &\necho $! > ${started}.part\nmv ${started}.part ${started}\nwait\n`);
    chmodSync(file, 0o700);
    const running = runPasswordCommand([file], stopping.signal).catch((error: unknown) => error);
    await expect.poll(() => existsSync(started), { timeout: 10_000 }).toBe(true);
    stopping.abort();
    expect(await running).toMatchObject({ code: 'aborted' });
    const grandchild = Number(readFileSync(started, 'utf8'));
    // Gone, or a zombie whose parent has not looked yet.
    const isGone = (): boolean =>
      !existsSync(`/proc/${grandchild}/stat`) || /\) Z /.test(readFileSync(`/proc/${grandchild}/stat`, 'utf8'));
    if (process.platform === 'linux') await expect.poll(isGone, { timeout: 10_000 }).toBe(true);
  });
});

describe('passwords by command', () => {
  it('are asked for once for several logins, and again for one that was refused', async () => {
    const counter = join(folder, 'count');
    const code = `const fs = require('fs'); fs.appendFileSync(process.argv[1], 'x'); console.log('pw' + fs.statSync(process.argv[1]).size)`;
    const passwords = createCommandPasswords(never);
    const ask = (refused: string | null): Promise<string> => passwords(script(code, counter), subject, refused);
    expect(await Promise.all([ask(null), ask(null), ask(null)])).toEqual(['pw1', 'pw1', 'pw1']);
    expect(await ask('pw1')).toBe('pw2');
    expect([await ask('pw1'), await ask(null)]).toEqual(['pw2', 'pw2']);
  });
  it('are not kept when the command failed', async () => {
    const flag = join(folder, 'flag');
    const code = `if (!require('fs').existsSync(process.argv[1])) process.exit(1); console.log('pw')`;
    const passwords = createCommandPasswords(never);
    await expect(passwords(script(code, flag), subject, null)).rejects.toEqual(failed(/exit code 1/));
    writeFileSync(flag, '');
    expect(await passwords(script(code, flag), subject, null)).toBe('pw');
  });
});
