/** Export and import as an administrator does them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createInstallation, type Installation } from '../support/installation.ts';

let from: Installation;
let to: Installation;
const env = { PASSPHRASE: 'correct horse', TEST_PASSWORD: 'geheim', REFRESH: 'refresh-1' };
const withPassphrase = ['--passphrase-env', 'PASSPHRASE'];

beforeEach(async () => {
  from = createInstallation();
  to = createInstallation();
  const add = ['account', 'add', '--imap', 'imaps://mail.example.com'];
  await from.commandWith(
    env,
    ...add,
    '--email',
    'anna@example.com',
    '--id',
    '53',
    '--password-env',
    'TEST_PASSWORD',
    '--readers',
    'u1,u2',
  );
  const oauth = ['--oauth-preset', 'google', '--oauth-client-id', 'app', '--oauth-refresh-token-env', 'REFRESH'];
  await from.commandWith(env, ...add, '--email', 'bob@example.com', ...oauth, '--password-command', '/bin/pw {acntid}');
  await from.command('account', 'disable', '53');
});
afterEach(() => {
  from.remove();
  to.remove();
});

const exported = async (...options: string[]): Promise<string> => {
  const outcome = await from.commandWith(env, 'account', 'export', ...options);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  const file = join(to.folder, 'accounts.json');
  writeFileSync(file, `\ufeff${outcome.stdout}`); // as a Windows editor leaves it
  return file;
};
const imported = async (file: string, ...options: string[]): Promise<{ result: string; fields: string }[]> => {
  const outcome = await to.commandWith(env, 'account', 'import', file, '--json', ...options);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(outcome.stdout) as { result: string; fields: string }[];
};
const accountsOf = async (installation: Installation): Promise<unknown> => {
  const { stdout } = await installation.commandWith(env, 'account', 'export');
  return (JSON.parse(stdout) as { accounts: unknown }).accounts;
};

describe('accounts that move', () => {
  it('arrive with their numbers, settings and secrets, and arrive once', async () => {
    const file = await exported('--secrets', ...withPassphrase);
    expect((await imported(file, '--dry-run', ...withPassphrase)).map(({ result }) => result)).toEqual([
      'added',
      'added',
    ]);
    expect(await accountsOf(to)).toEqual([]);
    expect((await imported(file, ...withPassphrase)).map(({ result }) => result)).toEqual(['added', 'added']);
    expect((await imported(file, ...withPassphrase)).map(({ result }) => result)).toEqual(['unchanged', 'unchanged']);
    expect(await accountsOf(to)).toEqual(await accountsOf(from));
    // Sealed again with the other installation's key, the secrets are the same.
    const before = JSON.stringify(await to.commandWith(env, 'account', 'export', '--secrets', ...withPassphrase));
    expect(before).not.toMatch(/geheim|refresh-1/);
    await from.command('account', 'set', '53', '--name', 'Anna');
    const changed = await exported('--secrets', ...withPassphrase);
    expect((await imported(changed, ...withPassphrase)).map(({ result, fields }) => [result, fields])).toEqual([
      ['changed', 'name'],
      ['unchanged', ''],
    ]);
  });

  it('arrive without secrets where none were asked for, and keep those that are there', async () => {
    await imported(await exported('--secrets', ...withPassphrase), ...withPassphrase);
    expect((await imported(await exported())).map(({ result }) => result)).toEqual(['unchanged', 'unchanged']);
    expect(to.query('SELECT acntid FROM email_accounts WHERE password_sealed IS NOT NULL')).toEqual([{ acntid: 53 }]);
  });

  it('do not arrive at all with a wrong passphrase, none, or a mistake', async () => {
    const file = await exported('--secrets', ...withPassphrase);
    const tries = [
      await to.commandWith({ PASSPHRASE: 'wrong horse' }, 'account', 'import', file, ...withPassphrase),
      await to.command('account', 'import', file),
      await to.command('account', 'import', join(to.folder, 'config.json')),
      await to.command('account', 'import', join(to.folder, 'nothing.json')),
    ];
    expect(tries.map(({ code }) => code)).toEqual([64, 64, 64, 64]);
    expect(await accountsOf(to)).toEqual([]);
    expect(
      (await from.commandWith({ PASSPHRASE: 'short' }, 'account', 'export', '--secrets', ...withPassphrase)).code,
    ).toBe(64);
  });
});
