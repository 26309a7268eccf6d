/** Secrets as the command line gets them: slips are told, and nothing is stored. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startFakeImap } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { createInstallation, type Installation } from '../support/installation.ts';

let installation: Installation;
beforeEach(() => {
  installation = createInstallation();
});
afterEach(() => installation.remove());

const account = ['--email', 'anna@example.com', '--imap', 'imaps://mail.example.com'];
const add = (...options: string[]) =>
  installation.runWith({ GIVEN: 'geheim', EMPTY: '' }, 'account', 'add', ...account, ...options);
const inFile = (name: string, text: string): string => {
  const file = join(installation.folder, name);
  writeFileSync(file, text);
  return file;
};

it.each([
  ['an empty variable', () => ['--password-env', 'EMPTY'], 'what was given is empty'],
  ['a variable that is not there', () => ['--password-env', 'NONE'], 'the environment has no NONE'],
  ['a file of nothing but a newline', () => ['--password-file', inFile('empty', '\n')], 'what was given is empty'],
  ['a file with a NUL', () => ['--password-file', inFile('nul', 'a\0b')], 'what was given holds a NUL'],
  [
    'two sources',
    () => ['--password-env', 'GIVEN', '--password-file', inFile('pw', 'x')],
    'give one of --password-stdin, --password-env and --password-file',
  ],
])('%s is refused as a password', async (_, options, why) => {
  const { code, stderr } = await add(...options());
  expect({ code, stderr }).toEqual({ code: 64, stderr: expect.stringContaining(`No password: ${why}.`) as string });
  expect(stderr).not.toContain('geheim');
});

it('a folder in the place of a password file is told', async () => {
  mkdirSync(join(installation.folder, 'folder'));
  const { code, stderr } = await add('--password-file', join(installation.folder, 'folder'));
  expect(code).toBe(64);
  expect(stderr).toContain('cannot be read');
});

it('one newline at the end of a password file does not belong to it', async () => {
  const server = await startFakeImap({ folders: [folder('INBOX', 1)] });
  try {
    const acntid = String(await installation.addAccount(server.port, 'anna'));
    const set = await installation.run('account', 'set', acntid, '--password-file', inFile('pw', 'geheim \r\n'));
    expect(set.code).toBe(0);
    expect((await installation.run('account', 'test', acntid)).code).toBe(0);
    expect(server.commands.find((command) => command.includes('LOGIN'))).toMatch(/ LOGIN "?anna"? "geheim "$/);
  } finally {
    await server.stop();
  }
});
