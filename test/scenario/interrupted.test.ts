/** First syncs that were cut off while the mailbox changed, and BYE in the place of any answer (RELIABILITY faults 3, 24). */
import { describe, expect, it } from 'vitest';
import { type FakeOptions, usualCapabilities } from '../support/fake-imap-server.ts';
import { type Command, folder, type Part } from '../support/fake-mailbox.ts';
import { startScenario } from './scenario.ts';

/** Seconds: the tests run beside each other, and nothing in them depends on a deadline. */
const calm = { EMAIL_NETWORK_TIMEOUT: 10 };

type Script = NonNullable<FakeOptions['script']>;

const isBodies = ({ verb, args }: Command): boolean => verb === 'UID FETCH' && args.includes('BODY.PEEK[]');
const bodiesAsked = (commands: readonly string[]): number =>
  commands.filter((command) => command.includes('BODY.PEEK[]')).length;

describe.concurrent('a first sync that was interrupted', () => {
  for (const [what, capabilities] of [
    ['with CONDSTORE', usualCapabilities],
    ['without CONDSTORE', ['LIST-STATUS', 'UIDPLUS']],
  ] as const) {
    it(`${what} ends with the flags that the server has by then`, async ({ onTestFinished }) => {
      const inbox = folder('INBOX', 20);
      let answers = 0;
      /** Half of the mail comes, then the connection breaks, then nothing comes: a third break would park the message. */
      const script: Script = (command, honest) => {
        if (!isBodies(command)) return undefined;
        answers += 1;
        if (answers === 1) return { parts: honest.slice(0, honest.length / 2), ending: 'close' };
        return answers === 2 ? { parts: [], ending: 'close' } : { parts: [] };
      };
      const scenario = await startScenario({ folders: [inbox], capabilities, script }, calm, onTestFinished);
      const { child, ended } = scenario.installation.start('sync', String(scenario.acntid));
      await expect.poll(() => answers, { timeout: 20_000 }).toBeGreaterThan(2);
      child.kill('SIGKILL');
      await ended;
      for (const entry of inbox.messages) {
        entry.flags = ['\\Seen', 'later'];
        entry.modseq += 100;
      }
      scenario.server.script = undefined;
      expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
      expect(scenario.differences()).toEqual([]);
      await scenario.expectIdle();
    });
  }

  it('after the last message was stored fetches none again', async ({ onTestFinished }) => {
    const inbox = folder('INBOX', 20);
    // The counts are wrong, so one more look follows, and there the pass is killed.
    let looks = 0;
    const script: Script = ({ verb, args }, honest) => {
      if (verb === 'EXAMINE') return { parts: honest.map((part) => String(part).replace('20 EXISTS', '21 EXISTS')) };
      if (verb !== 'UID FETCH' || !args.startsWith('1:*')) return undefined;
      looks += 1;
      return looks > 1 ? { parts: [] } : undefined;
    };
    const scenario = await startScenario({ folders: [inbox], script }, calm, onTestFinished);
    const { child, ended } = scenario.installation.start('sync', String(scenario.acntid));
    await expect.poll(() => looks, { timeout: 20_000 }).toBeGreaterThan(1);
    child.kill('SIGKILL');
    await ended;
    scenario.server.script = undefined;
    const asked = bodiesAsked(scenario.server.commands);
    await scenario.expectTrueCopy();
    expect(bodiesAsked(scenario.server.commands)).toBe(asked);
  });
});

describe.concurrent('BYE in the place of an answer', () => {
  const places: Readonly<Record<string, (command: Command) => boolean>> = {
    'the login': ({ verb }) => verb === 'LOGIN',
    ENABLE: ({ verb }) => verb === 'ENABLE',
    LIST: ({ verb }) => verb === 'LIST',
    EXAMINE: ({ verb }) => verb === 'EXAMINE',
    'the listing of UIDs': ({ verb, args }) => verb === 'UID FETCH' && !args.includes('BODY'),
    'the bodies': isBodies,
    LOGOUT: ({ verb }) => verb === 'LOGOUT',
  };
  for (const [what, isPlace] of Object.entries(places)) {
    it(`to ${what} loses nothing, and is not taken for an empty mailbox`, async ({ onTestFinished }) => {
      let count = 0;
      const bye: Part[] = ['* BYE going down for maintenance\r\n'];
      const scenario = await startScenario({ folders: [folder('INBOX', 6), folder('Other', 4)] }, calm, onTestFinished);
      const script: Script = (command) => {
        if (!isPlace(command)) return undefined;
        count += 1;
        return { parts: bye, ending: 'close' };
      };
      scenario.server.script = script;
      expect([0, 75]).toContain((await scenario.sync()).code);
      scenario.server.script = undefined;
      await scenario.sync();
      scenario.server.script = script;
      expect([0, 75]).toContain((await scenario.sync('--full')).code);
      expect(count).toBeGreaterThan(1);
      // A message whose answer is BYE each time it is asked for alone is parked, and the others are not.
      expect(scenario.differences().length).toBe(
        scenario.installation.query('SELECT uid FROM email_quarantine').length,
      );
      await scenario.retryQuarantined();
      await scenario.expectTrueCopy();
    });
  }
});

describe.concurrent('BYE before an OK that is no answer', () => {
  const places: Readonly<Record<string, (command: Command) => boolean>> = {
    LIST: ({ verb }) => verb === 'LIST',
    STATUS: ({ verb }) => verb === 'STATUS',
    EXAMINE: ({ verb }) => verb === 'EXAMINE',
    'the listing of UIDs': ({ verb, args }) => verb === 'UID FETCH' && !args.includes('BODY'),
    'the bodies': isBodies,
  };
  for (const [what, isPlace] of Object.entries(places)) {
    it(`to ${what} is told as what it is, and nothing looks empty`, async ({ onTestFinished }) => {
      const script: Script = (command) =>
        isPlace(command)
          ? { parts: ['* BYE going down for maintenance\r\n', `${command.tag} OK completed\r\n`] }
          : undefined;
      const capabilities = what === 'STATUS' ? ['CONDSTORE'] : usualCapabilities;
      const scenario = await startScenario({ folders: [folder('INBOX', 6)], capabilities }, calm, onTestFinished);
      scenario.server.script = script;
      await scenario.sync();
      const { last_error: told } = scenario.accountState();
      const parked = scenario.installation.query<{ error: string }>('SELECT error FROM email_quarantine');
      for (const text of [told, ...parked.map(({ error }) => error)])
        if (text !== null) expect(text).toContain('going down for maintenance');
      expect(told === null ? parked.length : 6).toBe(6);
      await scenario.retryQuarantined();
      await scenario.expectTrueCopy();
    });
  }
});
