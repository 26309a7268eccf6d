/** A folder that its server can't open for now is there all the same. */
import { describe, expect, it } from 'vitest';
import { usualCapabilities } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { startScenario } from './scenario.ts';

describe('a listing in which a line cannot be read', () => {
  it.each(['* LIST (((\r\n', '* LIST () "/" "Old\r\n', '* LIST () "/" Old)\r\n', '* LIST () "/" (Old\r\n'])(
    '%j says nothing of folders that are not in it',
    async (line) => {
      const scenario = await startScenario({ folders: [folder('INBOX', 3), folder('Old', 5)] });
      await scenario.sync();
      scenario.server.script = ({ verb }, honest) => {
        const at = honest.findIndex((part, index) => part === '* LIST () "/" ' && honest[index + 1] === '"Old"');
        if (verb !== 'LIST' || at < 0) return undefined;
        return { parts: [...honest.slice(0, at), line, ...honest.slice(at + 3)] };
      };
      for (let pass = 0; pass < 3; pass += 1) expect(await scenario.sync()).toMatchObject({ code: 0 });
      expect(scenario.installation.query("SELECT retired_at FROM email_folders WHERE path = 'Old'")).toEqual([
        { retired_at: null },
      ]);
      await scenario.expectTrueCopy();
    },
  );
});

describe('a listing without any folder', () => {
  it('is told, and nothing goes for it', async () => {
    const scenario = await startScenario({ folders: [folder('INBOX', 3), folder('A', 2)] });
    await scenario.expectTrueCopy();
    scenario.server.script = ({ verb, tag }) => (verb === 'LIST' ? { parts: [`${tag} OK done\r\n`] } : undefined);
    for (let count = 0; count < 3; count += 1) expect((await scenario.sync('--full')).code).toBe(75);
    const lastError = 'protocol_violation: LIST: the server names no folder';
    expect(scenario.accountState()).toMatchObject({ state: 'backoff', last_error: lastError });
    expect(scenario.differences()).toEqual([]);
    await scenario.expectTrueCopy();
  });
});

describe('a listing that lacks INBOX', () => {
  it('is told in the log, and nothing goes for it', async () => {
    const inbox = folder('INBOX', 3);
    const scenario = await startScenario({ folders: [inbox, folder('A', 2)] });
    await scenario.expectTrueCopy();
    scenario.server.folders.shift();
    for (let count = 0; count < 3; count += 1) expect((await scenario.sync('--full')).code).toBe(0);
    const { stdout } = await scenario.installation.run('log');
    expect(stdout.match(/the server does not list INBOX/g)).toHaveLength(3);
    scenario.server.folders.unshift(inbox);
    await scenario.expectTrueCopy();
  });
});

describe('a folder listed twice, once as a container', () => {
  it.each(['before', 'after'])('%s, is copied', async (where) => {
    const container = '* LIST (\\Noselect) "/" "Old"\r\n';
    const scenario = await startScenario({
      folders: [folder('INBOX', 3), folder('Old', 5)],
      script: ({ verb }, honest) => {
        if (verb !== 'LIST') return undefined;
        return {
          parts: where === 'before' ? [container, ...honest] : [...honest.slice(0, -1), container, ...honest.slice(-1)],
        };
      },
    });
    expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
    expect(scenario.differences()).toEqual([]);
    await scenario.expectIdle();
  });
});

describe('a folder without a STATUS that is refused when it is opened', () => {
  it.each([
    ['NO [UNAVAILABLE] not just now', usualCapabilities],
    ['NO [INUSE] Timeout while waiting for lock', usualCapabilities],
    ['NO Mailbox is locked', usualCapabilities],
    ['NO [SERVERBUG] Internal error occurred', ['CONDSTORE', 'ENABLE']],
  ])('with %j keeps its mail however often', async (answer, capabilities) => {
    const scenario = await startScenario({ folders: [folder('INBOX', 3), folder('Old', 5)], capabilities });
    await scenario.sync();
    scenario.server.script = ({ verb, args, tag }, honest) => {
      const at = honest.findIndex((part, index) => part === '* STATUS ' && honest[index + 1] === '"Old"');
      if (verb === 'LIST' && at >= 0) return { parts: [...honest.slice(0, at), ...honest.slice(at + 3)] };
      return /^(EXAMINE|STATUS)$/.test(verb) && args.includes('"Old"')
        ? { parts: [`${tag} ${answer}\r\n`] }
        : undefined;
    };
    for (let pass = 0; pass < 3; pass += 1) {
      expect(await scenario.sync()).toMatchObject({
        code: 75,
        stderr: expect.stringContaining('command_refused') as unknown,
      });
      expect(scenario.installation.query("SELECT retired_at FROM email_folders WHERE path = 'Old'")).toEqual([
        { retired_at: null },
      ]);
    }
    expect(scenario.installation.query('SELECT 1 FROM email_messages WHERE vanished_at IS NOT NULL')).toEqual([]);
    await scenario.expectTrueCopy();
  });
});
