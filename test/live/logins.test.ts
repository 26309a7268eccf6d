/** Every way to log in, at a real Dovecot: tokens that it asks an endpoint about, mailboxes of others, passwords from commands. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasDovecot } from '../support/dovecot.ts';
import { type FakeTokenEndpoint, startTokenEndpoint } from '../support/fake-token-endpoint.ts';
import { createInstallation, type Installation, type Outcome } from '../support/installation.ts';
import { type OauthDovecot, startOauthDovecot } from '../support/oauth-dovecot.ts';

let installation: Installation;
let endpoint: FakeTokenEndpoint;

beforeEach(async () => {
  endpoint = await startTokenEndpoint();
  installation = createInstallation({ EMAIL_PASSWORD_COMMAND: [process.execPath, '-e', "console.log('pw')"] });
});
afterEach(async () => {
  await installation.endPasses();
  installation.remove();
  await endpoint.stop();
});

const mail = { raw: Buffer.from('Subject: hello\r\n\r\nhello\r\n') };
const add = async (port: number, user: string, ...options: string[]): Promise<string> => {
  const url = `imap://${encodeURIComponent(user)}@127.0.0.1:${port}`;
  const secrets = { REFRESH: 'refresh-1', SECRET: 'canary-secret', BOSS: 'boss-pw' };
  const args = ['account', 'add', '--email', `${user}@example.com`, '--imap', url, ...options];
  const outcome = await installation.commandWith(secrets, ...args);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  return outcome.stdout.trim();
};
const oauthOptions = (): string[] => [
  '--oauth-client-id',
  'app',
  '--oauth-token-url',
  endpoint.url,
  '--oauth-refresh-token-env',
  'REFRESH',
  '--oauth-client-secret-env',
  'SECRET',
];
const test = (acntid: string): Promise<Outcome> => installation.command('account', 'test', acntid);

describe.runIf(hasDovecot()).each([
  ['xoauth2', 'XOAUTH2'],
  ['oauthbearer', 'OAUTHBEARER'],
  ['xoauth2 oauthbearer', 'OAUTHBEARER'],
])('an account with an OAuth grant, at a server that offers %s', (mechanisms, used) => {
  let server: OauthDovecot;
  beforeAll(async () => {
    server = await startOauthDovecot(`plain ${mechanisms}`);
    const client = await server.dovecot.client('anna');
    await client.append('INBOX', [mail]);
    await client.close();
  });
  afterAll(() => server.stop());
  beforeEach(() => server.valid.clear());

  it(`logs in by ${used}, and copies its mail`, async () => {
    server.valid.set('access-1', 'anna');
    const acntid = await add(server.dovecot.port, 'anna', ...oauthOptions());
    expect((await test(acntid)).stdout).toContain(`logged in as anna by ${used}`);
    expect(await installation.sync(Number(acntid))).toMatchObject({ code: 0, stderr: '' });
    expect(installation.query('SELECT COUNT(*) AS count FROM email_messages')).toEqual([{ count: 1 }]);
    expect(endpoint.requests).toHaveLength(1);
  });

  it('replaces a token that the server refuses once, and no more than once', async () => {
    server.valid.set('access-2', 'anna');
    const acntid = await add(server.dovecot.port, 'anna', ...oauthOptions());
    expect(await installation.sync(Number(acntid))).toMatchObject({ code: 0, stderr: '' });
    expect(endpoint.requests).toHaveLength(2);
    server.valid.clear();
    const refused = await installation.sync(Number(acntid));
    expect([refused.code, endpoint.requests.length]).toEqual([78, 3]);
    expect(installation.query('SELECT state FROM email_accounts')).toEqual([{ state: 'auth_error' }]);
    const everything = JSON.stringify([
      refused,
      await installation.command('log'),
      installation.query('SELECT * FROM account_logins'),
    ]);
    expect(everything).not.toMatch(/canary-secret|access-\d|refresh-\d/);
  });

  it('opens the mailbox of another user that its token is good for', async () => {
    server.valid.set('access-1', 'shared');
    const acntid = await add(server.dovecot.port, 'shared', ...oauthOptions());
    expect((await test(acntid)).stdout).toContain('logged in as shared');
  });

  it('is in auth_error when the provider refuses, and well again with another grant', async () => {
    endpoint.goodRefreshToken = null;
    server.valid.set('access-1', 'anna');
    const acntid = await add(server.dovecot.port, 'anna', ...oauthOptions());
    expect((await installation.sync(Number(acntid))).stderr).toContain('invalid_grant');
    expect(installation.query('SELECT state FROM email_accounts')).toEqual([{ state: 'auth_error' }]);
    endpoint.goodRefreshToken = 'by hand';
    const set = ['account', 'set', acntid, '--oauth-refresh-token-env', 'REFRESH'];
    expect(await installation.commandWith({ REFRESH: 'by hand' }, ...set)).toMatchObject({ code: 0 });
    expect(await installation.sync(Number(acntid))).toMatchObject({ code: 0, stderr: '' });
  });
});

describe.runIf(hasDovecot())('an account whose login is another user’s', () => {
  let server: OauthDovecot;
  beforeAll(async () => {
    server = await startOauthDovecot('plain login');
    for (const [user, count] of [
      ['boss', 3],
      ['anna', 1],
    ] as const) {
      const client = await server.dovecot.client(user);
      await client.append(
        'INBOX',
        Array.from({ length: count }, () => mail),
      );
      await client.close();
    }
  });
  afterAll(() => server.stop());

  it('opens the mailbox that is meant, not the one of who logs in', async () => {
    const acntid = await add(server.dovecot.port, 'anna', '--login-as', 'boss', '--password-env', 'BOSS');
    expect((await test(acntid)).stdout).toContain('logged in as boss by PLAIN, for the mailbox of anna');
    expect(await installation.sync(Number(acntid))).toMatchObject({ code: 0, stderr: '' });
    expect(installation.query('SELECT COUNT(*) AS count FROM email_messages')).toEqual([{ count: 1 }]);
  });
});

describe.runIf(hasDovecot())('a server without tokens', () => {
  let server: OauthDovecot;
  beforeAll(async () => {
    server = await startOauthDovecot('plain login');
  });
  afterAll(() => server.stop());

  it('says so to an account that has nothing else', async () => {
    const acntid = await add(server.dovecot.port, 'anna', ...oauthOptions());
    const outcome = await test(acntid);
    expect([outcome.code, outcome.stderr]).toEqual([
      78,
      expect.stringContaining('does not offer the way of logging in'),
    ]);
  });

  it('takes a password from the command of the configuration, or of the account', async () => {
    const acntid = await add(server.dovecot.port, 'anna');
    expect((await test(acntid)).stdout).toContain('logged in as anna by PLAIN');
    const program = join(installation.folder, 'password');
    writeFileSync(program, '#!/bin/sh\necho "wrong-$1"\n');
    chmodSync(program, 0o700);
    await installation.command('account', 'set', acntid, '--password-command', `${program} {user}`);
    const refused = await test(acntid);
    expect([refused.code, refused.stderr.includes('wrong-')]).toEqual([78, false]);
    writeFileSync(program, '#!/bin/sh\n[ "$1" = anna ] && echo pw\n');
    expect(await test(acntid)).toMatchObject({ code: 0, stderr: '' });
    expect(await installation.sync(Number(acntid))).toMatchObject({ code: 0, stderr: '' });
  });
});
