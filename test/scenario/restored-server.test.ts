/** A mailbox that was restored from an older backup gives UIDs anew, under the UIDVALIDITY that it had. */
import { describe, expect, it } from 'vitest';
import { type FakeFolder, folder, message } from '../support/fake-mailbox.ts';
import { mailRows, rowChanges } from '../support/oracle.ts';
import { type Scenario, startScenario } from './scenario.ts';

const rowsOf = ({ installation }: Scenario, condition: string): { id: number; uid: number; subject: string }[] =>
  installation.query(
    `SELECT m.id, m.uid, t.subject FROM email_messages m JOIN email_contents t ON t.id = m.content_id
      WHERE ${condition} ORDER BY m.uid, m.id`,
  );

/** The mail from `uid` on is lost; `count` new ones take its UIDs. */
function restore(inbox: FakeFolder, uid: number, count: number, about = 'later'): void {
  inbox.messages = inbox.messages.filter((entry) => entry.uid < uid);
  for (let next = uid; next < uid + count; next += 1)
    inbox.messages.push(message(next, about, { date: `24-Nov-2026 10:00:${next} +0000` }));
  inbox.uidNext = uid + count;
}

describe('UIDs that a restored server gave anew', () => {
  it.each([
    ['fewer than there were', 3, 'later', undefined],
    ['of the same size', 4, 'INBAX', undefined],
    ['where there is no MODSEQ', 4, 'later', ['LIST-STATUS']],
    ['where MODSEQ alone went back', 5, 'later', undefined],
  ])('%s are fetched, and the lost mail is gone', async (_, count, about, capabilities) => {
    const inbox = folder('INBOX', 20);
    const scenario = await startScenario({ folders: [inbox], ...(capabilities ? { capabilities } : {}) });
    await scenario.sync();
    const before = rowsOf(scenario, 'uid < 16');
    const lost = rowsOf(scenario, 'uid >= 16');
    restore(inbox, 16, count, about);
    inbox.messages.forEach((entry, index) => {
      entry.modseq = Math.max(1, index);
    });
    scenario.server.commands.length = 0;
    await scenario.expectTrueCopy();
    expect(scenario.server.commands.filter((command) => command.includes('BODY.PEEK[]'))).toHaveLength(1);
    await scenario.expectIdle();
    expect((await scenario.installation.command('verify', String(scenario.acntid), '--deep')).code).toBe(0);
    expect(rowsOf(scenario, 'uid < 16 AND vanished_at IS NULL')).toEqual(before);
    expect(rowsOf(scenario, 'vanished_at IS NOT NULL')).toEqual(lost);
  });

  it('after their messages had been deleted bring those back to nobody', async () => {
    const inbox = folder('INBOX', 20);
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    inbox.messages.splice(15, 5);
    await scenario.sync();
    const gone = rowsOf(scenario, 'vanished_at IS NOT NULL');
    restore(inbox, 16, 2);
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    expect(rowsOf(scenario, 'vanished_at IS NOT NULL')).toEqual(gone);
    await scenario.expectTrueCopy();
  });

  it('are no hint any more once a full sync has seen them, and mail that comes then is found', async () => {
    const inbox = folder('INBOX', 20);
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    restore(inbox, 11, 2);
    await scenario.sync('--full');
    scenario.server.commands.length = 0;
    await scenario.expectIdle();
    expect(scenario.server.commands.filter((command) => command.includes('MESSAGE-ID'))).toEqual([]);
    inbox.messages.push(message(13, 'last'));
    inbox.uidNext = 14;
    await scenario.sync();
    expect(scenario.differences()).toEqual([]);
  });
});

describe('a UID that is another message’s, and no number tells', () => {
  const runs = (scenario: Scenario, ...args: string[]) => scenario.installation.run(...args);
  const bodiesOf = ({ server }: Scenario): number =>
    server.commands.filter((command) => command.includes('BODY.PEEK[]')).length;

  it.each([
    ['', undefined],
    [', not even the EMAILID', ['LIST-STATUS', 'OBJECTID']],
  ])('is found by verify --deep, and put right by sync --refetch%s', async (_, capabilities) => {
    const inbox = folder('INBOX', 20);
    for (const entry of inbox.messages) entry.emailId = `E${entry.uid}`;
    const scenario = await startScenario({ folders: [inbox], ...(capabilities ? { capabilities } : {}) });
    await scenario.sync();
    const before = rowsOf(scenario, 'uid <> 5');
    const lost = rowsOf(scenario, 'uid = 5');
    inbox.messages[4] = { ...message(5, 'INBAX'), emailId: 'E5' };
    expect((await scenario.sync('--full')).code).toBe(0);
    const acntid = String(scenario.acntid);
    const found = await runs(scenario, 'verify', acntid, '--deep');
    expect(found.code).toBe(1);
    expect(found.stdout).toContain(`\n\`backproc sync ${acntid} PATH --refetch\` replaces messages`);
    expect(found.stdout).not.toContain('--full');
    scenario.server.commands.length = 0;
    // The connection breaks once on the way: what is left is not forgotten.
    scenario.server.script = ({ verb, args }, honest) => {
      if (verb !== 'UID FETCH' || !args.includes('BODY.PEEK[]')) return undefined;
      scenario.server.script = undefined;
      return { parts: honest.slice(0, 2), ending: 'reset' };
    };
    expect(await runs(scenario, 'sync', acntid, 'INBOX', '--refetch')).toMatchObject({ code: 0, stderr: '' });
    expect(bodiesOf(scenario)).toBeGreaterThan(1);
    expect(scenario.differences()).toEqual([]);
    expect((await runs(scenario, 'verify', acntid, '--deep')).code).toBe(0);
    expect(rowsOf(scenario, 'uid <> 5')).toEqual(before);
    expect(rowsOf(scenario, 'vanished_at IS NOT NULL')).toEqual(lost);
    scenario.server.commands.length = 0;
    const rows = mailRows(scenario.installation);
    expect(await runs(scenario, 'sync', acntid, '--refetch')).toMatchObject({ code: 0, stderr: '' });
    expect(bodiesOf(scenario)).toBe(1);
    expect(rowChanges(rows, mailRows(scenario.installation))).toEqual([]);
    await scenario.expectIdle();
  });
});

describe('a folder that is made anew, and fetched again as told', () => {
  it('has its rows recognised, and then every byte compared', async () => {
    const inbox = folder('INBOX', 20);
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    const before = rowsOf(scenario, 'vanished_at IS NULL');
    inbox.uidValidity += 1;
    scenario.server.commands.length = 0;
    const told = ['sync', String(scenario.acntid), '--refetch'] as const;
    expect(await scenario.installation.run(...told)).toMatchObject({ code: 0, stderr: '' });
    expect(scenario.server.commands.filter((command) => command.includes('BODY.PEEK[]'))).toHaveLength(1);
    expect(rowsOf(scenario, 'vanished_at IS NULL')).toEqual(before);
    await scenario.expectTrueCopy();
  });
});

describe('a folder that was empty for a while, UIDNEXT and all', () => {
  it('has its mail back without fetching it again', async () => {
    const inbox = folder('INBOX', 20);
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    const before = rowsOf(scenario, 'vanished_at IS NULL');
    const { messages, uidNext } = inbox;
    Object.assign(inbox, { messages: [], uidNext: 1 });
    await scenario.sync('--full');
    Object.assign(inbox, { messages, uidNext });
    scenario.server.commands.length = 0;
    await scenario.sync();
    expect(scenario.server.commands.filter((command) => command.includes('BODY.PEEK[]'))).toEqual([]);
    expect(rowsOf(scenario, 'vanished_at IS NULL')).toEqual(before);
    await scenario.expectTrueCopy();
  });
});
