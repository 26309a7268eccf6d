/** UIDVALIDITY, UIDNEXT and MODSEQ that lie (RELIABILITY faults 10 to 12, 16). */
import { describe, expect, it } from 'vitest';
import { folder, message } from '../support/fake-mailbox.ts';
import { startScenario } from './scenario.ts';

describe('UIDVALIDITY', () => {
  it('that changes at every connection parks the folder after a bounded number of resets', async () => {
    const inbox = folder('INBOX', 5);
    const scenario = await startScenario({ folders: [inbox, folder('Other', 3)] });
    await scenario.sync();
    // Changes while every pass is under way, so that no pass over it ever ends well.
    scenario.server.script = ({ verb, args, tag }) => {
      if (verb === 'LIST') inbox.uidValidity += 1;
      if (verb === 'UID FETCH' && args.includes('BODY.PEEK[]')) return { parts: [`${tag} NO not now\r\n`] };
      return undefined;
    };
    inbox.messages.push(message(6));
    inbox.uidNext = 7;
    for (let pass = 0; pass < 8; pass += 1) await scenario.sync();
    const rows = scenario.installation.query<{ last_error: string | null; reset_count: number }>(
      "SELECT last_error, reset_count FROM email_folders WHERE path = 'INBOX'",
    );
    expect(rows[0]?.reset_count).toBeLessThanOrEqual(6);
    expect(scenario.installation.query('SELECT id FROM email_messages WHERE vanished_at IS NULL')).toHaveLength(8);
  });

  it('that changes at every pass, well as each ends, is told, and forgiven when that is over', async () => {
    const inbox = folder('INBOX', 5);
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    const error = (): string | null =>
      scenario.installation.query<{ last_error: string | null }>('SELECT last_error FROM email_folders').at(0)
        ?.last_error ?? null;
    for (let pass = 0; pass < 5; pass += 1) {
      inbox.uidValidity += 1;
      expect([(await scenario.sync()).code, error()]).toEqual([0, null]);
    }
    inbox.uidValidity += 1;
    for (let refusal = 0; refusal < 6; refusal += 1) {
      expect((await scenario.sync()).code).toBe(75);
      expect(error()).toMatch(/^uidvalidity_unstable/);
    }
    await scenario.expectTrueCopy();
    expect(error()).toBe(null);
    expect(scenario.installation.query('SELECT 1 FROM email_messages')).toHaveLength(5);
  });

  it('that decreases is a change like any other, and ids are kept', async () => {
    const inbox = folder('INBOX', 20, { uidValidity: 5000 });
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    const before = scenario.installation.query('SELECT id, content_id FROM email_messages ORDER BY id');
    inbox.uidValidity = 10;
    for (const entry of inbox.messages) entry.uid += 100;
    inbox.uidNext = 200;
    scenario.server.commands.length = 0;
    await scenario.expectTrueCopy();
    expect(scenario.installation.query('SELECT id, content_id FROM email_messages ORDER BY id')).toEqual(before);
    expect(scenario.server.commands.filter((command) => command.includes('BODY.PEEK[]'))).toEqual([]);
  });

  it('that changes, with one message left out of the listing: the row of that one does not make up for it', async () => {
    const inbox = folder('INBOX', 5);
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    const before = scenario.installation.query('SELECT id, content_id FROM email_messages ORDER BY id');
    inbox.uidValidity += 1;
    let count = 0;
    scenario.server.script = ({ verb }, honest) =>
      verb === 'UID FETCH' && count++ === 0
        ? { parts: honest.filter((part) => !String(part).includes('(UID 3 ')) }
        : undefined;
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    expect(scenario.installation.query('SELECT id, content_id FROM email_messages ORDER BY id')).toEqual(before);
    await scenario.expectIdle();
  });

  it('that is missing leaves the folder unsynced with an error, and the others synced', async () => {
    const scenario = await startScenario({
      folders: [folder('INBOX', 3), folder('Odd', 3)],
      script: (command, honest) =>
        command.folder?.path === 'Odd' && command.verb === 'EXAMINE'
          ? { parts: honest.filter((part) => !String(part).includes('UIDVALIDITY')) }
          : undefined,
    });
    expect((await scenario.sync()).code).toBe(75);
    const rows = scenario.installation.query('SELECT path, last_error FROM email_folders ORDER BY path');
    expect(rows).toMatchObject([
      { path: 'INBOX', last_error: null },
      { path: 'Odd', last_error: expect.stringContaining('uidvalidity_missing') as unknown },
    ]);
    await scenario.expectTrueCopy();
  });
});

describe('UIDNEXT', () => {
  const spoil =
    (change: (text: string) => string) =>
    (_: unknown, honest: readonly (string | Buffer)[]): { parts: (string | Buffer)[] } => ({
      parts: honest.map((part) => (typeof part === 'string' ? change(part) : part)),
    });

  it('that is never told loses nothing', async () => {
    const inbox = folder('INBOX', 5);
    const hide = spoil((text) => (text.includes('[UIDNEXT') ? '' : text.replace(/ ?UIDNEXT \d+/, '')));
    const scenario = await startScenario({ folders: [inbox], script: hide });
    await scenario.sync();
    inbox.messages.push(message(6), message(7));
    inbox.uidNext = 8;
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
  });

  it('that went back without a change of UIDVALIDITY loses nothing', async () => {
    const inbox = folder('INBOX', 10);
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    inbox.messages.push(message(11));
    inbox.uidNext = 12;
    scenario.server.script = spoil((text) => text.replace(/UIDNEXT \d+/, 'UIDNEXT 2'));
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
  });

  it('that is far above every message loses nothing', async () => {
    const inbox = folder('INBOX', 10, { uidNext: 5011 });
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    inbox.messages.push(message(5011));
    inbox.uidNext = 9999;
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
  });
});

describe('a row that is no message', () => {
  it.each([5000, 4294967295])('under UID %i, beyond UIDNEXT, does not hide the mail that comes later', async (uid) => {
    const inbox = folder('INBOX', 5);
    const scenario = await startScenario({ folders: [inbox] });
    const phantom = `* 6 FETCH (UID ${uid} FLAGS () RFC822.SIZE 100)\r\n`;
    scenario.server.script = ({ verb, args }, honest) =>
      verb === 'UID FETCH' && !args.includes('BODY')
        ? { parts: [...honest.slice(0, -1), phantom, ...honest.slice(-1)] }
        : undefined;
    expect((await scenario.sync()).code).toBe(0);
    for (const option of [[], ['--full' as const], []]) {
      inbox.messages.push(message(inbox.uidNext, 'INBOX', { modseq: inbox.uidNext }));
      inbox.uidNext += 1;
      expect((await scenario.sync(...option)).code).toBe(0);
      expect(scenario.differences()).toEqual([]);
    }
    scenario.server.script = undefined;
    // So the counts agree without it.
    inbox.messages.push(message(inbox.uidNext, 'INBOX', { modseq: inbox.uidNext }));
    inbox.uidNext += 1;
    inbox.messages.splice(1, 1);
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    await scenario.expectTrueCopy();
  });
});

describe('MODSEQ', () => {
  it('that was reset makes one scan of all flags, and no loop', async () => {
    const inbox = folder('INBOX', 10);
    for (const entry of inbox.messages) entry.modseq += 1000;
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    inbox.messages.forEach((entry, index) => {
      entry.modseq = index + 1;
      entry.flags = ['\\Seen'];
    });
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    scenario.server.commands.length = 0;
    await scenario.sync();
    expect(scenario.server.commands.filter((command) => command.includes('FETCH'))).toEqual([]);
  });

  it('that a folder does not have (NOMODSEQ) leaves flags to the full sync', async () => {
    const inbox = folder('INBOX', 5);
    const scenario = await startScenario({
      folders: [inbox],
      script: (_, honest) => ({
        parts: honest.map((part) =>
          typeof part === 'string'
            ? part.replace(/HIGHESTMODSEQ \d+\]/, 'NOMODSEQ]').replace(/ HIGHESTMODSEQ \d+/, ' HIGHESTMODSEQ 0')
            : part,
        ),
      }),
    });
    await scenario.sync();
    inbox.messages[0]?.flags.push('\\Flagged');
    expect((await scenario.sync('--full')).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
  });
});
