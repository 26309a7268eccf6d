/** MODSEQ beyond what it can be, and QRESYNC that is announced and not kept (RFC 7162). */
import { describe, expect, it } from 'vitest';
import { usualCapabilities } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { startScenario } from './scenario.ts';

describe('a MODSEQ of 64 bits', () => {
  it.each([
    ['of a folder', /HIGHESTMODSEQ \d+/g, 'HIGHESTMODSEQ 9999999999999999999'],
    ['of its messages', /MODSEQ \(\d+\)/g, 'MODSEQ (9223372036854775808)'],
  ])('%s counts as none: mail and flags are copied, by a full sync at the latest', async (_, honest, lie) => {
    const inbox = folder('INBOX', 5);
    const scenario = await startScenario({
      folders: [inbox],
      script: (_command, parts) => ({
        parts: parts.map((part) => (typeof part === 'string' ? part.replace(honest, lie) : part)),
      }),
    });
    expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
    const [first] = inbox.messages;
    Object.assign(first ?? {}, { flags: ['\\Seen'], modseq: 50 });
    expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
    expect(await scenario.sync('--full')).toMatchObject({ code: 0, stderr: '' });
    expect(scenario.differences()).toEqual([]);
    await scenario.expectTrueCopy();
  });
});

describe('QRESYNC that tells nothing on opening', () => {
  it('although MODSEQ grew is made up for by CHANGEDSINCE', async () => {
    const inbox = folder('INBOX', 5);
    const scenario = await startScenario({ folders: [inbox], capabilities: [...usualCapabilities, 'QRESYNC'] });
    await scenario.sync();
    scenario.server.script = ({ verb }, honest) =>
      verb === 'EXAMINE' ? { parts: honest.filter((part) => !String(part).includes(' FETCH ')) } : undefined;
    const [first] = inbox.messages;
    Object.assign(first ?? {}, { flags: ['\\Flagged'], modseq: 50 });
    await scenario.sync();
    expect(scenario.differences()).toEqual([]);
    scenario.server.commands.length = 0;
    await scenario.expectIdle();
  });
});
