/** Tagged NO to each command, logins refused for many reasons, and throttling (RELIABILITY faults 27 to 29). */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { usualCapabilities } from '../support/fake-imap-server.ts';
import { addMessage, type Command, folder, message } from '../support/fake-mailbox.ts';
import { startScenario } from './scenario.ts';

/** Seconds: the tests run beside each other, and nothing in them depends on a deadline. */
const calm = { EMAIL_NETWORK_TIMEOUT: 10 };

describe.concurrent('a refused', () => {
  for (const verb of ['LIST', 'STATUS', 'EXAMINE', 'UID SEARCH', 'UID FETCH', 'NAMESPACE', 'LOGOUT', 'ENABLE']) {
    it(`${verb} moves no checkpoint and deletes nothing`, async ({ onTestFinished }) => {
      const inbox = folder('INBOX', 6);
      const scenario = await startScenario(
        {
          folders: [inbox, folder('Other', 4)],
          capabilities: verb === 'STATUS' ? ['CONDSTORE'] : usualCapabilities,
        },
        calm,
        onTestFinished,
      );
      expect((await scenario.sync()).code).toBe(0);
      inbox.messages.push(message(7, 'INBOX', { modseq: 70 }));
      inbox.uidNext = 8;
      scenario.server.script = (command) =>
        command.verb === verb ? { parts: [`${command.tag} NO not today\r\n`] } : undefined;
      const refused = await scenario.sync('--full');
      expect([0, 75]).toContain(refused.code);
      expect(scenario.differences().filter((line) => line !== 'lost: INBOX/1000/7')).toEqual([]);
      await scenario.expectTrueCopy();
    });
  }
});

describe.concurrent('a server that refuses', () => {
  const firstOf = ({ args }: Command): number => Number(args.split(':')[0]);
  const cases: Readonly<Record<string, (command: Command) => boolean>> = {
    'CHANGEDSINCE, which it announces,': ({ args }) => args.includes('CHANGEDSINCE'),
    'QRESYNC, which it announces,': ({ verb, args }) => verb === 'EXAMINE' && args.includes('QRESYNC'),
    'a range that begins above the last message': (command) =>
      command.verb === 'UID FETCH' && command.folder?.messages.every(({ uid }) => uid < firstOf(command)) === true,
  };
  for (const [what, isRefused] of Object.entries(cases))
    it(`${what} has its new mail, flags and deletions copied all the same`, async ({ onTestFinished }) => {
      const inbox = folder('INBOX', 6);
      const capabilities = what.startsWith('QRESYNC') ? [...usualCapabilities, 'QRESYNC'] : usualCapabilities;
      const scenario = await startScenario({ folders: [inbox], capabilities }, calm, onTestFinished);
      await scenario.sync();
      scenario.server.script = (command) =>
        isRefused(command) ? { parts: [`${command.tag} BAD not like this\r\n`] } : undefined;
      addMessage(inbox, message(7).raw);
      expect((await scenario.sync()).code).toBe(0);
      expect(scenario.differences()).toEqual([]);
      // UIDNEXT moves, and nothing is there.
      inbox.uidNext = 12;
      inbox.messages.splice(1, 1);
      Object.assign(inbox.messages[0] ?? {}, { flags: ['\\Seen'], modseq: 90 });
      expect((await scenario.sync()).code).toBe(0);
      expect(scenario.differences()).toEqual([]);
      await scenario.expectTrueCopy();
    });
});

describe.concurrent('an empty folder in which a server refuses any range', () => {
  it('is known to be empty, and followed', async ({ onTestFinished }) => {
    const inbox = folder('INBOX', 0);
    const script = ({ verb, tag }: Command) =>
      verb.startsWith('UID ') && inbox.messages.length === 0 ? { parts: [`${tag} BAD no messages\r\n`] } : undefined;
    const scenario = await startScenario({ folders: [inbox], script }, calm, onTestFinished);
    for (const change of [() => undefined, () => addMessage(inbox, message(1).raw), () => inbox.messages.splice(0)]) {
      change();
      expect((await scenario.sync()).code).toBe(0);
      expect(scenario.differences()).toEqual([]);
      expect((await scenario.sync('--full')).code).toBe(0);
    }
    await scenario.expectTrueCopy();
  });
});

describe.concurrent('a login refused with', () => {
  for (const [answer, state] of [
    ['NO [AUTHENTICATIONFAILED] Authentication failed.', 'auth_error'],
    ['NO [UNAVAILABLE] Temporary authentication failure.', 'backoff'],
    ['NO [LIMIT] Maximum number of connections exceeded', 'backoff'],
    ['NO [INUSE] in use', 'backoff'],
    ['NO Server busy, try again later', 'backoff'],
    ['NO [ALERT] Too many simultaneous connections. (Failure)', 'backoff'],
    ['NO [OVERQUOTA] Account exceeded command or bandwidth limits', 'backoff'],
  ] as const) {
    it(`"${answer}" leaves the account in ${state}`, async ({ onTestFinished }) => {
      const scenario = await startScenario(
        {
          folders: [folder('INBOX', 2)],
          script: ({ verb, tag }) => (verb === 'LOGIN' ? { parts: [`${tag} ${answer}\r\n`] } : undefined),
        },
        calm,
        onTestFinished,
      );
      const outcome = await scenario.sync();
      expect(outcome.code).toBe(state === 'auth_error' ? 78 : 75);
      expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1);
      expect(scenario.accountState().state).toBe(state);
      expect(Date.parse(scenario.accountState().retry_at ?? '')).toBeGreaterThan(Date.now());
      await scenario.expectTrueCopy();
      expect(scenario.accountState()).toEqual({ state: 'ok', last_error: null, retry_at: null });
    });
  }
});

describe.concurrent('an answer beyond all bounds', () => {
  it('is told as what it is, also where the library only says that the connection is gone', async ({
    onTestFinished,
  }) => {
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 2)],
        script: ({ verb }) => (verb === 'LIST' ? { parts: ['* LIST () "/" {4294967295}\r\nINBOX'] } : undefined),
      },
      calm,
      onTestFinished,
    );
    expect((await scenario.sync()).code).toBe(75);
    expect(scenario.accountState().last_error).toMatch(/^response_too_large: LIST/);
    await scenario.expectTrueCopy();
  });
});

describe.concurrent('a throttle', () => {
  it('that names its length is obeyed, and the pass ends at once', async ({ onTestFinished }) => {
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 5)],
        script: ({ verb, tag }) =>
          verb === 'UID FETCH'
            ? { parts: [`${tag} BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds\r\n`] }
            : undefined,
      },
      calm,
      onTestFinished,
    );
    const startedMs = performance.now();
    const outcome = await scenario.sync();
    expect(outcome.code).toBe(75);
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    const { state, retry_at } = scenario.accountState();
    expect(state).toBe('backoff');
    expect(Date.parse(retry_at ?? '') - Date.now()).toBeGreaterThan(270_000);
    scenario.server.commands.length = 0;
    await scenario.installation.run('run', '--once');
    expect(scenario.server.commands).toEqual([]);
    await scenario.expectTrueCopy();
  });
});

describe.concurrent('a server that has given enough', () => {
  for (const words of [
    'NO [TEMPFAIL] Download was rate limited. Try again in 300 seconds.',
    'NO [LIMIT] UID FETCH Rate limit hit.',
    'NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)',
  ])
    it(`and says "${words}" has no message quarantined for it`, async ({ onTestFinished }) => {
      const isBodies = (args: string): boolean => args.includes('BODY.PEEK[]');
      const scenario = await startScenario(
        {
          folders: [folder('INBOX', 30)],
          script: ({ verb, args, tag }) =>
            verb === 'UID FETCH' && isBodies(args) ? { parts: [`${tag} ${words}\r\n`] } : undefined,
        },
        calm,
        onTestFinished,
      );
      expect((await scenario.sync()).code).toBe(75);
      expect(scenario.accountState()).toMatchObject({
        state: 'backoff',
        last_error: expect.stringMatching(/^throttled: FETCH/),
      });
      expect(scenario.server.commands.filter((command) => isBodies(command))).toHaveLength(1);
      expect(scenario.installation.query('SELECT uid FROM email_quarantine')).toEqual([]);
      await scenario.expectTrueCopy();
    });

  it('on one connection is asked on another, in the same pass', async ({ onTestFinished }) => {
    const examined = new Map<number, number>();
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 2), ...['A', 'B', 'C', 'D'].map((path) => folder(path, 2))],
        script: ({ verb, connection }) => {
          if (verb !== 'EXAMINE') return undefined;
          examined.set(connection, (examined.get(connection) ?? 0) + 1);
          if ((examined.get(connection) ?? 0) <= 2) return undefined;
          return { parts: ['* BYE Too many EXAMINE commands issued, please reconnect\r\n'], ending: 'close' };
        },
      },
      { ...calm, BG_MAX_CONNECTIONS_PER_ACCOUNT: 1 },
      onTestFinished,
    );
    expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
    expect(scenario.differences()).toEqual([]);
    expect(examined.size).toBe(3);
  });
});

describe.concurrent('a key file that cannot be read', () => {
  it('puts accounts off for a minute, and for no password', async ({ onTestFinished }) => {
    const scenario = await startScenario({ folders: [folder('INBOX', 2)] }, calm, onTestFinished);
    const file = join(scenario.installation.folder, 'store/secret.key');
    const key = readFileSync(file);
    writeFileSync(file, key.subarray(1));
    expect((await scenario.sync()).code).not.toBe(0);
    const { state, last_error: lastError, retry_at: retryAt } = scenario.accountState();
    expect({ state, lastError }).toEqual({
      state: 'backoff',
      lastError: `secret_unreadable: ${file} holds 31 bytes, expected 32`,
    });
    expect(Date.parse(retryAt ?? '')).toBeLessThan(Date.now() + 61_000);
    writeFileSync(file, key);
    await scenario.expectTrueCopy();
  });
});
