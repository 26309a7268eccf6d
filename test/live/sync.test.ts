/** Whole passes against a real Dovecot, judged message by message by the tests' own IMAP client. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dovecot, hasDovecot, startDovecot } from '../support/dovecot.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { differences, mailState } from '../support/oracle.ts';

const mail = (subject: string, size = 3000): { raw: Buffer; flags?: string } => ({
  raw: Buffer.from(
    `From: a@example.com\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@test>\r\n\r\n${'Some text in a line of its own.\r\n'.repeat(size / 33)}`,
  ),
});
const mails = (prefix: string, count: number, size?: number) =>
  Array.from({ length: count }, (_, index) => mail(`${prefix}-${index}`, size));

describe.runIf(hasDovecot())('a sync with Dovecot', () => {
  let dovecot: Dovecot;
  let installation: Installation;
  let acntid: number;
  const sync = async (...args: string[]): Promise<void> => {
    const outcome = await installation.run('sync', String(acntid), ...args);
    expect(outcome).toMatchObject({ code: 0, stdout: '', stderr: '' });
  };
  const judge = async (): Promise<string[]> => differences(installation, acntid, await dovecot.listing('anna'));

  beforeAll(async () => {
    dovecot = await startDovecot();
    installation = createInstallation();
    acntid = await installation.addAccount(dovecot.port, 'anna');
    const client = await dovecot.client('anna');
    await client.append('INBOX', mails('inbox', 700));
    await client.command('CREATE "Work/Za&AXwA8wFC-ty"');
    await client.append('Work/Za&AXwA8wFC-ty', mails('work', 120));
    await client.append('Work/Za&AXwA8wFC-ty', mails('inbox', 5));
    await client.command('CREATE "we\\"ird %*[x]"');
    await client.append('we"ird %*[x]', [
      mail('weird'),
      { raw: Buffer.from('no header, bare \n line feeds, 8-bit \u00e9\u00ff') },
      { raw: Buffer.from('\r\n') },
    ]);
    await client.command('CREATE Empty');
    await client.close();
  });
  afterAll(async () => {
    await dovecot.stop();
    installation.remove();
  });

  it('copies every message of every folder', async () => {
    await sync();
    expect(await judge()).toEqual([]);
  });

  it('stores equal bytes once', () => {
    expect(installation.query('SELECT 1 FROM email_contents')).toHaveLength(700 + 120 + 3);
  });

  it('writes nothing when nothing changed', async () => {
    const before = [mailState(installation), installation.query('SELECT MAX(seq) AS seq FROM email_changes')];
    await sync();
    await sync('--full');
    expect([mailState(installation), installation.query('SELECT MAX(seq) AS seq FROM email_changes')]).toEqual(before);
  });

  it('follows new mail, flags, deletions, moves, new and removed folders', async () => {
    const client = await dovecot.client('anna');
    await client.append('INBOX', mails('later', 20));
    await client.command('SELECT INBOX');
    await client.command('UID STORE 1:50 +FLAGS (\\Seen \\Flagged $Work custom)');
    await client.command('UID STORE 60:70 +FLAGS (\\Deleted)');
    await client.command('EXPUNGE');
    await client.command('UID MOVE 100:110 Empty');
    await client.command('CREATE Fresh');
    await client.append('Fresh', mails('fresh', 3));
    await client.close();
    await sync();
    expect(await judge()).toEqual([]);
    expect(installation.query('SELECT 1 FROM email_messages WHERE vanished_at IS NOT NULL')).toHaveLength(22);
  });

  it('believes VANISHED after it proved right, and sees deletions through it', async () => {
    for (const uid of [200, 201, 202, 203, 204, 205]) {
      const client = await dovecot.client('anna');
      await client.command('SELECT INBOX');
      await client.command(`UID STORE ${uid} +FLAGS (\\Deleted)`);
      await client.command('EXPUNGE');
      await client.close();
      await sync();
      expect(await judge()).toEqual([]);
    }
    expect(installation.query('SELECT vanished_trust FROM email_accounts')).toEqual([{ vanished_trust: 3 }]);
  });

  it('keeps a renamed folder and its ids', async () => {
    const ids = () =>
      installation.query(
        "SELECT m.id FROM email_messages m JOIN email_folders f USING (emfdid) WHERE f.path IN ('Fresh', 'Ripe') ORDER BY 1",
      );
    const before = ids();
    const client = await dovecot.client('anna');
    await client.command('RENAME Fresh Ripe');
    await client.close();
    await sync();
    expect(await judge()).toEqual([]);
    expect(ids()).toEqual(before);
  });

  it('keeps a removed folder as tombstones, after the second listing without it', async () => {
    const client = await dovecot.client('anna');
    await client.command('DELETE Ripe');
    await client.close();
    const live = () =>
      installation.query(
        "SELECT 1 FROM email_messages m JOIN email_folders f USING (emfdid) WHERE f.path = 'Ripe' AND m.vanished_at IS NULL",
      ).length;
    await sync();
    expect(live()).toBe(3);
    await sync();
    expect(live()).toBe(0);
    expect(await judge()).toEqual([]);
  });

  it('recognises its messages after a changed UIDVALIDITY, and keeps their ids', async () => {
    const ids = () =>
      installation.query(
        "SELECT m.id FROM email_messages m JOIN email_folders f USING (emfdid) WHERE f.path = 'INBOX' AND m.vanished_at IS NULL ORDER BY 1",
      );
    const before = ids();
    const client = await dovecot.client('anna');
    await client.command('SELECT INBOX');
    await client.command('STORE 1 FLAGS (\\Answered)');
    await client.close();
    dovecot.doveadm('mailbox', 'update', '-u', 'anna', '--uid-validity', '123456', 'INBOX');
    await sync();
    expect(await judge()).toEqual([]);
    expect(ids()).toEqual(before);
    const news = installation.query('SELECT kind FROM email_changes ORDER BY seq DESC LIMIT 2');
    expect(news).toEqual([{ kind: 'folder_reset' }, { kind: 'message_flags' }]);
  });

  it('holds a mass deletion back, also when the folder was made anew', async () => {
    const client = await dovecot.client('anna');
    await client.command('CREATE Archive');
    await client.append('Archive', mails('archive', 502, 100));
    await sync();
    await client.command('DELETE Archive');
    await client.command('CREATE Archive');
    await client.append('Archive', mails('archive', 1, 100));
    await client.append('Archive', mails('fresh', 1, 100));
    await client.close();
    const [{ emfdid } = { emfdid: 0 }] = installation.query<{ emfdid: number }>(
      "SELECT emfdid FROM email_folders WHERE path = 'Archive'",
    );
    const counts = () =>
      installation.query(
        `SELECT SUM(vanished_at IS NULL) AS live, SUM(held_at IS NOT NULL) AS held, held_count AS counted
          FROM email_messages JOIN email_folders USING (emfdid) WHERE emfdid = ${emfdid}`,
      );
    for (const kind of [[], ['--full'], []]) {
      await sync(...kind);
      expect(counts()).toEqual([{ live: 503, held: 501, counted: 501 }]);
    }
    expect((await installation.command('verify', String(acntid), '--deep')).code).toBe(0);
    expect((await installation.command('folder', 'approve-deletions', String(emfdid))).code).toBe(0);
    await sync();
    expect(counts()).toEqual([{ live: 2, held: 0, counted: 0 }]);
    expect(await judge()).toEqual([]);
  });

  it('proves it with verify --deep', async () => {
    const outcome = await installation.command('verify', String(acntid), '--deep', '--json');
    expect(outcome.code).toBe(0);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ ok: true });
  });

  it('logs in the format that administrators grep for', async () => {
    const { stdout } = await installation.command('log', '--account', String(acntid));
    const lines = stdout.trim().split('\n');
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(line).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]\[#\d+\.t\d+\] .+ \[1,\d+\]$/);
    expect(lines.filter((line) => /received 700 new messages in \d+s \[1,\d+\]$/.test(line))).toHaveLength(1);
  });
});
