/** Logins at servers that offer less than is needed: the wrong mailbox must never be opened. */
import { afterEach, describe, expect, it } from 'vitest';
import { type FakeImapServer, startFakeImap, usualCapabilities } from '../support/fake-imap-server.ts';
import { createInstallation, type Installation, type Outcome } from '../support/installation.ts';

const running: { server: FakeImapServer; installation: Installation }[] = [];
afterEach(async () => {
  for (const { server, installation } of running.splice(0)) {
    await server.stop();
    installation.remove();
  }
});

/** `account test` of an account that logs in as boss into the mailbox of anna. */
async function testDelegated(capabilities: readonly string[]): Promise<{ outcome: Outcome; commands: string[] }> {
  const server = await startFakeImap({ folders: [], capabilities: [...usualCapabilities, ...capabilities] });
  const installation = createInstallation({ EMAIL_NETWORK_TIMEOUT: 2 });
  running.push({ server, installation });
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
});
