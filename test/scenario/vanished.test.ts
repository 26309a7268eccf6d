/** VANISHED answers that lie (RELIABILITY fault 17). */
import { describe, expect, it } from 'vitest';
import { usualCapabilities } from '../support/fake-imap-server.ts';
import { addMessage, folder, message } from '../support/fake-mailbox.ts';
import { startScenario } from './scenario.ts';

const capabilities = [...usualCapabilities, 'QRESYNC'];

describe('VANISHED', () => {
  it('for all UIDs there can be deletes nothing, and is not believed again', async () => {
    const inbox = folder('INBOX', 20);
    const scenario = await startScenario({ folders: [inbox], capabilities }, { EMAIL_NETWORK_TIMEOUT: 20 });
    await scenario.sync();
    scenario.server.script = ({ verb, args }, honest) =>
      verb === 'EXAMINE' && args.includes('QRESYNC')
        ? { parts: [...honest.slice(0, -1), '* VANISHED (EARLIER) 1:16777216\r\n', ...honest.slice(-1)] }
        : undefined;
    for (let uid = 21; uid < 24; uid += 1) {
      inbox.messages.push(message(uid));
      inbox.uidNext = uid + 1;
      expect((await scenario.sync()).code).toBe(0);
      expect(scenario.differences()).toEqual([]);
    }
    expect(scenario.installation.query('SELECT id FROM email_messages WHERE vanished_at IS NOT NULL')).toEqual([]);
    expect(scenario.installation.query('SELECT vanished_trust FROM email_accounts')).toEqual([{ vanished_trust: -1 }]);
  });

  it.each([
    ['', 0],
    [', over a long link', 20],
  ])(
    'and FETCH of the folder before, told until that is closed, are not about the one being opened%s',
    async (_, delayMs) => {
      const folders = [folder('INBOX', 5), folder('Other', 5)];
      const scenario = await startScenario(
        { folders, capabilities, delayMs },
        { EMAIL_NETWORK_TIMEOUT: 20, BG_MAX_CONNECTIONS_PER_ACCOUNT: 1 },
      );
      await scenario.sync();
      const before = '* 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (9))\r\n';
      for (const line of ['* VANISHED 3\r\n', before]) {
        for (const entry of folders) addMessage(entry, message(entry.uidNext, entry.path).raw);
        scenario.server.script = ({ verb, args }, honest) =>
          verb === 'EXAMINE' && args.includes('Other')
            ? { parts: [line, '* OK [CLOSED] INBOX\r\n', ...honest] }
            : undefined;
        expect((await scenario.sync()).code).toBe(0);
        expect(scenario.differences()).toEqual([]);
      }
      expect(scenario.installation.query('SELECT vanished_trust FROM email_accounts')).toEqual([{ vanished_trust: 0 }]);
      const changed = "SELECT 1 FROM email_changes WHERE kind IN ('message_vanished', 'message_flags')";
      expect(scenario.installation.query(changed)).toEqual([]);
    },
  );

  it('that is malformed ends in a true copy all the same', async () => {
    const inbox = folder('INBOX', 20);
    const scenario = await startScenario({ folders: [inbox], capabilities });
    await scenario.sync();
    for (const answer of [
      '* VANISHED (EARLIER) \r\n',
      '* VANISHED (EARLIER) abc\r\n',
      '* VANISHED 5:\r\n',
      '* VANISHED (EARLIER) 0,99999999999\r\n',
    ]) {
      scenario.server.script = ({ verb, args }, honest) =>
        verb === 'EXAMINE' && args.includes('QRESYNC')
          ? { parts: [...honest.slice(0, -1), answer, ...honest.slice(-1)] }
          : undefined;
      const uid = inbox.uidNext;
      inbox.messages.push(message(uid));
      inbox.uidNext += 1;
      await scenario.sync();
      expect(scenario.differences()).toEqual([]);
    }
  });
});
