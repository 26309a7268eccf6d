/** A server that answers for so many messages only (RFC 9738): nothing that it did not look at is taken for absent. */
import { describe, expect, it } from 'vitest';
import { usualCapabilities } from '../support/fake-imap-server.ts';
import { addMessage, folder, message, newestModseq } from '../support/fake-mailbox.ts';
import { limitedTo } from '../support/message-limit.ts';
import { type Scenario, startScenario } from './scenario.ts';

const goneUids = ({ installation }: Scenario): number[] =>
  installation
    .query<{ uid: number }>('SELECT uid FROM email_messages WHERE vanished_at IS NOT NULL ORDER BY uid')
    .map(({ uid }) => uid);

describe.each([
  ['CONDSTORE', usualCapabilities, 0],
  ['CONDSTORE, over a long link', usualCapabilities, 20],
  ['UIDs alone', ['LIST-STATUS'], 0],
])('with %s', (_, capabilities, delayMs) => {
  it('all of a folder is copied and followed', async () => {
    // More than are listed with the opening, and fewer.
    const [inbox, small] = [folder('INBOX', 350), folder('Small', 60)];
    const scenario = await startScenario({ folders: [inbox, small], capabilities, delayMs, script: limitedTo(50) });
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    expect((await scenario.sync('--full')).code).toBe(0);
    expect(goneUids(scenario)).toEqual([]);

    for (let count = 0; count < 120; count += 1) addMessage(inbox, message(inbox.uidNext, 'new').raw);
    Object.assign(inbox.messages[3] ?? {}, { flags: ['\\Flagged'], modseq: newestModseq(inbox) + 1 });
    inbox.messages.splice(5, 2);
    await scenario.sync();
    await scenario.sync('--full');
    expect(scenario.differences()).toEqual([]);
    expect(goneUids(scenario)).toEqual([6, 7]);
    await scenario.expectIdle();
  });
});

it('where the server does not say how far it looked, nothing counts as deleted, and the pass tells', async () => {
  const scenario = await startScenario({ folders: [folder('INBOX', 120)] });
  await scenario.sync();
  scenario.server.script = limitedTo(50, false);
  for (let pass = 0; pass < 3; pass += 1) await scenario.sync('--full');
  expect(goneUids(scenario)).toEqual([]);
  expect((await scenario.installation.run('log')).stdout).toContain('the server counts 120 messages');
  scenario.server.script = undefined;
  await scenario.expectTrueCopy();
});
