/** outbox → a real Postfix → a real Dovecot → sync → store, and back: Sent, \Answered, the link. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { startEngine, until } from '../support/engine-process.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { startOutbox } from '../support/outbox-process.ts';
import { choosePorts, dovecotExtra, type Postfix, startPostfix, whyNoPostfix } from '../support/postfix.ts';

const reason = whyNoPostfix();
if (reason !== null) console.warn(`live/outbox is left out: ${reason}`);

const minuteMs = 60_000;

describe.runIf(reason === null)('mail from the outbox, through Postfix and Dovecot', () => {
  let dovecot: Dovecot;
  let postfix: Postfix;
  let installation: Installation;
  beforeAll(async () => {
    const ports = await choosePorts();
    dovecot = await startDovecot({ extra: dovecotExtra(ports) });
    postfix = await startPostfix(ports);
    installation = createInstallation();
    for (const user of ['anna', 'bob']) {
      const acntid = await installation.addAccount(dovecot.port, user);
      await installation.command(
        'account',
        'set',
        String(acntid),
        '--smtp',
        `smtp://${user}@127.0.0.1:${postfix.port}`,
      );
    }
  });
  afterAll(async () => {
    await postfix?.stop();
    await dovecot?.stop();
    installation?.remove();
  });

  const insert = (columns: Record<string, unknown>): number => {
    const database = openSqlite(installation.storeFile, { timeout: 10_000 });
    const names = Object.keys(columns);
    const sql = `INSERT INTO email_outbox (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
    const id = Number(database.prepare(sql).run(...Object.values(columns)).lastInsertRowid);
    database.close();
    return id;
  };
  const send = async (minutes: number): Promise<string[]> => {
    const outbox = await startOutbox({
      file: installation.storeFile,
      keyFile: `${installation.folder}/store/secret.key`,
    });
    await outbox.drain();
    for (let minute = 0; minute < minutes; minute += 1) {
      outbox.advance(minuteMs);
      await outbox.drain();
    }
    await outbox.stop();
    await postfix.flush();
    return outbox.lines;
  };
  const entry = (id: number) => installation.query('SELECT * FROM email_outbox WHERE id = ?', id)[0] ?? {};

  it('arrives as it was written, once, with its copy in Sent and the answered message marked', async () => {
    const id = insert({
      acntid: 1,
      to_addresses: '[{"name":"Bób Żółw","address":"bob@example.com"}]',
      bcc_addresses: 'carl@example.com',
      subject: 'Zażółć gęślą jaźń – 日本語',
      body_text: 'Ein Text.\n.mit Punkt\nund „mehr“.\n',
      body_html: '<p>HTML</p>',
      attachments: JSON.stringify([{ filename: 'ä.bin', content: Buffer.alloc(100_000, 7).toString('base64') }]),
    });
    await send(2);
    expect(entry(id)).toMatchObject({ state: 'delivered', last_code: 250, last_error: null });
    expect((await installation.run('sync', '2')).code).toBe(0);
    expect((await installation.run('sync', '1')).code).toBe(0);
    const [received] = installation.query<{ subject: string; to_addresses: string; id: number; raw: Buffer }>(
      'SELECT m.id, c.subject, c.to_addresses, r.raw FROM email_messages m JOIN email_contents c ON c.id = m.content_id JOIN email_raw r ON r.content_id = c.id WHERE m.acntid = 2',
    );
    expect(received?.subject).toBe('Zażółć gęślą jaźń – 日本語');
    expect(JSON.parse(received?.to_addresses ?? '')).toEqual([{ name: 'Bób Żółw', address: 'bob@example.com' }]);
    const sent = entry(id).raw as Buffer;
    const body = (raw: Buffer | undefined): string =>
      raw?.toString('latin1').split('\r\n\r\n').slice(1).join('\r\n\r\n') ?? '';
    expect(body(received?.raw)).toBe(body(sent));
    expect(sent.toString()).not.toContain('carl');
    const copies = installation.query<{ id: number; raw: Buffer }>(
      "SELECT m.id, r.raw FROM email_messages m JOIN email_folders f USING (emfdid) JOIN email_raw r USING (content_id) WHERE m.acntid = 1 AND f.role = 'sent'",
    );
    expect(copies.map(({ raw }) => raw.equals(sent))).toEqual([true]);
    expect(entry(id)).toMatchObject({ sent_message_id: copies[0]?.id });
    expect(entry(id).filed_at).not.toBeNull();

    const answer = insert({
      acntid: 2,
      to_addresses: 'anna@example.com',
      subject: 'Re: …',
      body_text: 'Yes.',
      in_reply_to_id: received?.id,
    });
    await send(2);
    expect(entry(answer)).toMatchObject({ state: 'delivered' });
    await installation.run('sync', '2');
    expect(installation.query('SELECT flags FROM email_messages WHERE id = ?', received?.id)).toEqual([
      { flags: '\\Answered' },
    ]);
    await installation.run('sync', '1');
    const [reply] = installation.query<{ in_reply_to: string }>(
      "SELECT in_reply_to FROM email_contents WHERE subject = 'Re: …' ORDER BY id LIMIT 1",
    );
    expect(reply?.in_reply_to).toBe(entry(id).message_id_header);
  });

  it('is refused, put off and delivered, each recipient as Postfix says', async () => {
    const id = insert({
      acntid: 1,
      to_addresses: 'bob@example.com, refused@example.com, later@example.com',
      subject: 'Mixed',
      body_text: 'x',
    });
    await send(0);
    const verdicts = installation.query(
      'SELECT address, verdict, code FROM email_outbox_recipients WHERE outbox_id = ? ORDER BY 1',
      id,
    );
    expect(verdicts).toEqual([
      { address: 'bob@example.com', verdict: 'delivered', code: 250 },
      { address: 'later@example.com', verdict: 'deferred', code: 450 },
      { address: 'refused@example.com', verdict: 'rejected', code: 550 },
    ]);
  });

  it('of an account whose password is wrong waits, and the mail is not to blame', async () => {
    await installation.commandWith(
      { TEST_PASSWORD: 'wrong' },
      'account',
      'set',
      '2',
      '--password-env',
      'TEST_PASSWORD',
    );
    const id = insert({ acntid: 2, to_addresses: 'anna@example.com', subject: 'Later', body_text: 'x' });
    await send(0);
    expect(entry(id)).toMatchObject({ state: 'queued', attempt_count: 0 });
    const [account] = installation.query<{ smtp_state: string }>(
      'SELECT smtp_state, smtp_last_error FROM email_accounts WHERE acntid = 2',
    );
    expect(account?.smtp_state).toBe('auth_error');
    await installation.command('account', 'set', '2', '--password-env', 'TEST_PASSWORD');
    await send(0);
    expect(entry(id)).toMatchObject({ state: 'delivered' });
  });

  it('goes through in hundreds, nobody’s lost and nobody’s twice', async () => {
    const count = 200;
    for (let mail = 0; mail < count; mail += 1)
      insert({ acntid: 1, to_addresses: 'dora@example.com', subject: `Bulk ${mail}`, body_text: 'x' });
    await send(0);
    await expect
      .poll(async () => (await dovecot.listing('dora')).find(({ path }) => path === 'INBOX')?.messages.length, {
        timeout: 30_000,
      })
      .toBe(count);
    expect(
      installation.query("SELECT 1 FROM email_outbox WHERE subject LIKE 'Bulk%' AND state <> 'delivered'"),
    ).toEqual([]);
  });

  it('is sent by `run --once`', async () => {
    const id = insert({ acntid: 1, to_addresses: 'bob@example.com', subject: 'Once', body_text: 'x' });
    const { code, stderr } = await installation.run('run', '--once');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(entry(id)).toMatchObject({ state: 'delivered' });
  });

  it('leaves within a second of the INSERT while the engine runs', async () => {
    const engine = await startEngine(installation);
    try {
      for (const round of [1, 2, 3]) {
        const startedMs = performance.now();
        const id = insert({ acntid: 1, to_addresses: 'bob@example.com', subject: `Now ${round}`, body_text: 'x' });
        await until(() => entry(id).state === 'delivered');
        expect(performance.now() - startedMs).toBeLessThan(1000);
      }
      const later = insert({
        acntid: 1,
        to_addresses: 'bob@example.com',
        subject: 'Later',
        body_text: 'x',
        send_after: new Date(Date.now() + 2000).toISOString(),
      });
      await until(() => entry(later).state === 'delivered');
      const { sent_at: sentAt, send_after: sendAfter } = entry(later) as { sent_at: string; send_after: string };
      expect(Date.parse(sentAt) - Date.parse(sendAfter)).toBeGreaterThanOrEqual(0);
      expect(Date.parse(sentAt) - Date.parse(sendAfter)).toBeLessThan(1000);
      const shown = await installation.run(
        'outbox',
        'send',
        '--account',
        '2',
        '--to',
        'anna@example.com',
        '--text',
        'y',
      );
      expect(shown).toMatchObject({ code: 0, stderr: '' });
      await until(() => installation.query("SELECT 1 FROM email_outbox WHERE state <> 'delivered'").length <= 1);
    } finally {
      await engine.stop();
    }
  });
});
