/** Logins at servers that offer less than is needed: the wrong mailbox must never be opened. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  type FakeImapServer,
  type FakeOptions,
  startFakeImap,
  usualCapabilities,
} from '../support/fake-imap-server.ts';
import { createInstallation, type Installation, type Outcome } from '../support/installation.ts';

const running: { server: FakeImapServer; installation: Installation }[] = [];
afterEach(async () => {
  for (const { server, installation } of running.splice(0)) {
    await server.stop();
    installation.remove();
  }
});

async function start(capabilities: readonly string[], script?: FakeOptions['script']) {
  const all = [...usualCapabilities, ...capabilities];
  const server = await startFakeImap({ folders: [], capabilities: all, ...(script ? { script } : {}) });
  const installation = createInstallation({ EMAIL_NETWORK_TIMEOUT: 2 });
  running.push({ server, installation });
  return { server, installation };
}

/** `account test` of an account that logs in as boss into the mailbox of anna. */
async function testDelegated(
  capabilities: readonly string[],
  script?: FakeOptions['script'],
): Promise<{ outcome: Outcome; commands: string[] }> {
  const { server, installation } = await start(capabilities, script);
  const url = `imap://anna@127.0.0.1:${server.port}`;
  const add = ['account', 'add', '--email', 'anna@example.com', '--imap', url, '--login-as', 'boss'];
  await installation.run(...add, '--password-env', 'TEST_PASSWORD');
  const outcome = await installation.run('account', 'test', '1');
  return { outcome, commands: server.commands };
}

describe('an account whose login is another user’s', () => {
  it.each([
    ['no SASL', []],
    ['no SASL, and LOGIN disabled', ['LOGINDISABLED']],
  ])('sends no LOGIN to a server with %s, since it can’t say whose mailbox is meant', async (_title, capabilities) => {
    const { outcome, commands } = await testDelegated(capabilities);
    expect(outcome.code).toBe(78);
    expect(commands.filter((command) => /LOGIN|AUTHENTICATE/.test(command))).toEqual([]);
  });

  it('sends PLAIN and nothing else, also where only AUTH=LOGIN is offered', async () => {
    const { outcome, commands } = await testDelegated(['AUTH=LOGIN']);
    expect(outcome.code).not.toBe(0);
    expect(commands.filter((command) => /LOGIN|AUTHENTICATE/.test(command))).toEqual(['1 AUTHENTICATE PLAIN']);
  });

  it('sends password and mailbox with the command where the server takes them, and shows them to nobody', async () => {
    const { outcome, commands } = await testDelegated(['AUTH=PLAIN', 'SASL-IR'], ({ verb, tag, args }) =>
      verb === 'AUTHENTICATE' ? { parts: [`${tag} BAD not understood: ${args}\r\n`] } : undefined,
    );
    const answer = Buffer.from('anna\0boss\0pw').toString('base64');
    expect(commands).toContain(`1 AUTHENTICATE PLAIN ${answer}`);
    expect(outcome.stdout + outcome.stderr).toContain('not understood: PLAIN ***');
    expect(outcome.stdout + outcome.stderr).not.toContain(answer);
  });
});

describe('a server that repeats what it refuses', () => {
  it('can’t make the password of a LOGIN known', async () => {
    const { server, installation } = await start([], ({ verb, tag, args }) =>
      verb === 'LOGIN' ? { parts: [`${tag} BAD not understood: ${args}\r\n`] } : undefined,
    );
    const url = `imap://anna@127.0.0.1:${server.port}`;
    const secret = { SECRET: 'canary-secret' };
    await installation.runWith(secret, 'account', 'add', '--email', 'a@b.c', '--imap', url, '--password-env', 'SECRET');
    const everything = JSON.stringify([
      await installation.run('account', 'test', '1'),
      await installation.run('sync', '1'),
      await installation.run('log'),
      installation.query('SELECT last_error FROM email_accounts'),
    ]);
    expect(everything).toContain('not understood');
    expect(everything).not.toContain('canary-secret');
  });
});
