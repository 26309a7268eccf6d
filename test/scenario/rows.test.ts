/** FETCH answers that leave out, repeat, disorder or invent rows (RELIABILITY faults 13 to 15 and 19). */
import { describe, expect, it } from 'vitest';
import { type FakeOptions, usualCapabilities } from '../support/fake-imap-server.ts';
import type { Part } from '../support/fake-mailbox.ts';
import { addMessage, asked, fetchRows, folder, message } from '../support/fake-mailbox.ts';
import { startScenario } from './scenario.ts';

type Script = NonNullable<FakeOptions['script']>;

const isBodies = (args: string): boolean => args.includes('BODY.PEEK[]');
/** Bodies as `change` leaves their rows. */
const withRows =
  (change: (rows: Part[][]) => Part[][], end = 'OK done'): Script =>
  ({ verb, args, folder: open, tag }) =>
    verb === 'UID FETCH' && isBodies(args) && open
      ? { parts: [...change(fetchRows(open, args, true)).flat(), `${tag} ${end}\r\n`] }
      : undefined;
const uidOf = (row: Part[]): number => Number(/UID (\d+)/.exec(String(row[0]))?.[1]);

describe('rows that do not come', () => {
  it('are asked for again when the server says OK', async () => {
    let answers = 0;
    const scenario = await startScenario({
      folders: [folder('INBOX', 30)],
      script: withRows((rows) => {
        answers += 1;
        return answers === 1 ? rows.filter((row) => uidOf(row) % 3 !== 0) : rows;
      }),
    });
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    expect(answers).toBeGreaterThan(1);
  });

  it('are asked for again when the server says that some no longer exist', async () => {
    let answers = 0;
    const scenario = await startScenario({
      folders: [folder('INBOX', 10)],
      script: (command, honest) => {
        if (command.verb !== 'UID FETCH' || !isBodies(command.args)) return undefined;
        answers += 1;
        const [first = '', ...rest] =
          withRows((rows) => rows.slice(0, 3), 'NO Some of the requested messages no longer exist.')(command, honest)
            ?.parts ?? [];
        return answers === 1 ? { parts: [first, ...rest] } : undefined;
      },
    });
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
  });

  it('because they were expunged meanwhile are neither stored empty nor waited for', async () => {
    const inbox = folder('INBOX', 10);
    let isDone = false;
    const scenario = await startScenario({
      folders: [inbox],
      script: (command) => {
        if (isDone || command.verb !== 'UID FETCH' || !isBodies(command.args)) return undefined;
        isDone = true;
        const rows = fetchRows(inbox, command.args, true).map((row) =>
          uidOf(row) === 4 ? [String(row[0]).replace(/BODY\[\] \{\d+\}\r\n/, 'BODY[] NIL)\r\n')] : row,
        );
        inbox.messages = inbox.messages.filter(({ uid }) => uid !== 4);
        return { parts: [...rows.flat(), '* 4 EXPUNGE\r\n', `${command.tag} OK done\r\n`] };
      },
    });
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    await scenario.expectTrueCopy();
  });
});

describe('rows that nobody asked for', () => {
  it('twice, out of order, without UID, with UID 0 or above 2^32 change nothing', async () => {
    const odd = (row: Part[], uid: string): Part[] => [String(row[0]).replace(/UID \d+ ?/, uid), ...row.slice(1)];
    const scenario = await startScenario({
      folders: [folder('INBOX', 12)],
      script: withRows((rows) => {
        const [first = [], second = []] = rows;
        const invented = [odd(first, ''), odd(first, 'UID 0 '), odd(first, 'UID 4294967296 '), odd(first, 'UID 77 ')];
        return [...rows.toReversed(), second, ...invented, ['* 3 FETCH (FLAGS (\\Seen))\r\n']];
      }),
    });
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
  });

  it('of the last message, for a range that begins above it, are not new mail', async () => {
    const inbox = folder('INBOX', 5);
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    inbox.uidNext = 9;
    const outcome = await scenario.sync();
    expect(outcome.code).toBe(0);
    expect(scenario.differences()).toEqual([]);
  });
});

describe('a message that the server refuses', () => {
  const refuse =
    (...uids: number[]): Script =>
    ({ verb, args, tag, folder: open }) => {
      if (verb !== 'UID FETCH' || !args.includes('BODY.PEEK[') || !open) return undefined;
      const isHit = fetchRows(open, args, true).some((row) => uids.includes(uidOf(row)));
      return isHit ? { parts: [`${tag} NO [SERVERBUG] cannot read message\r\n`] } : undefined;
    };

  it('is quarantined with a time for the next try, and all others are stored', async () => {
    const scenario = await startScenario({ folders: [folder('INBOX', 40)], script: refuse(7, 23) });
    expect((await scenario.sync()).code).toBe(0);
    const parked = scenario.installation.query<{ uid: number; tries: number; retry_at: string }>(
      'SELECT uid, tries, retry_at FROM email_quarantine ORDER BY uid',
    );
    expect(parked.map(({ uid, tries }) => [uid, tries])).toEqual([
      [7, 1],
      [23, 1],
    ]);
    expect(parked.every(({ retry_at }) => Date.parse(retry_at) > Date.now())).toBe(true);
    expect(scenario.differences()).toEqual(['lost: INBOX/1000/7', 'lost: INBOX/1000/23']);
    expect((await scenario.installation.run('verify', String(scenario.acntid))).code).toBe(0);
  });

  it('like all the others leaves the folder alone, and does not send it to quarantine', async () => {
    const scenario = await startScenario({
      folders: [folder('INBOX', 80), folder('Other', 3)],
      script: ({ verb, args, tag, folder: open }) =>
        verb === 'UID FETCH' && args.includes('BODY.PEEK[') && open?.path === 'INBOX'
          ? { parts: [`${tag} NO [UNAVAILABLE] storage is down\r\n`] }
          : undefined,
    });
    expect((await scenario.sync()).code).toBe(75);
    expect(scenario.installation.query('SELECT uid FROM email_quarantine').length).toBeLessThan(25);
    expect(scenario.installation.query('SELECT path FROM email_folders WHERE last_error IS NOT NULL')).toEqual([
      { path: 'INBOX' },
    ]);
    expect(scenario.differences().every((line) => line.startsWith('lost: INBOX'))).toBe(true);
    await scenario.retryQuarantined();
    await scenario.expectTrueCopy();
  });

  it('is stored by `message retry` once the server hands it out', async () => {
    const scenario = await startScenario({ folders: [folder('INBOX', 5)], script: refuse(3) });
    await scenario.sync();
    scenario.server.script = undefined;
    const [row] = scenario.installation.query<{ emfdid: number }>('SELECT emfdid FROM email_quarantine');
    expect((await scenario.installation.run('message', 'retry', String(row?.emfdid), '3')).code).toBe(0);
    await scenario.sync();
    expect(scenario.differences()).toEqual([]);
    expect(scenario.installation.query('SELECT uid FROM email_quarantine')).toEqual([]);
  });

  it('by cutting the connection is cornered, with the server’s last words, and all others are stored', async () => {
    const scenario = await startScenario({
      folders: [folder('INBOX', 30)],
      script: ({ verb, args, folder: open }) =>
        verb === 'UID FETCH' && isBodies(args) && open && fetchRows(open, args, true).some((row) => uidOf(row) === 12)
          ? { parts: ['* BYE FETCH failed: cannot read message\r\n'], ending: 'close' }
          : undefined,
    });
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual(['lost: INBOX/1000/12']);
    expect(scenario.installation.query('SELECT uid, error FROM email_quarantine')).toEqual([
      {
        uid: 12,
        error: expect.stringMatching(/^message_unfetchable: .* \(FETCH: FETCH failed: cannot read message\)$/),
      },
    ]);
  });

  const refuseWhatever =
    (uid: number): Script =>
    ({ verb, args, tag, folder: open }) =>
      verb === 'UID FETCH' && open && asked(open, args.split(' ')[0] ?? '').some((entry) => entry.uid === uid)
        ? { parts: [`${tag} NO [SERVERBUG] UID FETCH Server error - Please try again later\r\n`] }
        : undefined;

  it.each([40, 150])(
    'whatever is asked of it, is parked alone: the others, of %i, are copied and followed',
    async (count) => {
      const inbox = folder('INBOX', count);
      const scenario = await startScenario({ folders: [inbox], script: refuseWhatever(7) });
      expect((await scenario.sync()).code).toBe(0);
      expect(scenario.differences()).toEqual(['lost: INBOX/1000/7']);
      inbox.messages.splice(2, 1);
      Object.assign(inbox.messages[10] ?? {}, { flags: ['\\Flagged'] });
      expect((await scenario.sync('--full')).code).toBe(0);
      expect(scenario.differences()).toEqual(['lost: INBOX/1000/7']);
      inbox.uidValidity += 1;
      expect((await scenario.sync()).code).toBe(0);
      expect(scenario.differences()).toEqual(['lost: INBOX/1001/7']);
      await scenario.retryQuarantined();
      await scenario.expectTrueCopy();
    },
  );

  it('as all others are, whatever is asked of them, is not parked: the folder is left alone for a minute', async () => {
    const inbox = folder('INBOX', 5);
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    addMessage(inbox, message(6).raw);
    scenario.server.script = ({ verb, tag }) =>
      verb === 'UID FETCH' ? { parts: [`${tag} NO [UNAVAILABLE] storage is down\r\n`] } : undefined;
    expect((await scenario.sync()).code).toBe(75);
    expect(scenario.installation.query('SELECT uid FROM email_quarantine')).toEqual([]);
    expect(scenario.installation.query('SELECT last_error FROM email_folders')).toEqual([
      { last_error: expect.stringContaining('storage is down') as unknown },
    ]);
    await scenario.expectTrueCopy();
  });

  it('from now on, whatever is asked of it, stays, and the flags of the others are compared', async () => {
    const inbox = folder('INBOX', 40);
    const scenario = await startScenario({ folders: [inbox] });
    await scenario.sync();
    scenario.server.script = refuseWhatever(7);
    Object.assign(inbox.messages[10] ?? {}, { flags: ['\\Flagged'] });
    expect((await scenario.sync('--full')).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    await scenario.expectTrueCopy();
  });
});

describe('EMAILID', () => {
  it('of a message of another size brings nobody its bytes', async () => {
    const inbox = folder('INBOX', 2);
    const scenario = await startScenario({ folders: [inbox], capabilities: [...usualCapabilities, 'OBJECTID'] });
    for (const entry of inbox.messages) entry.emailId = 'M1';
    await scenario.sync();
    addMessage(inbox, Buffer.from('Subject: another\r\n\r\nNot what M1 was.\r\n')).emailId = 'M1';
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
  });
});
