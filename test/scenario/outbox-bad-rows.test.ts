/** A row that no program should have written is rejected with its column and the reason, and stops no other. */
import { describe, expect, it } from 'vitest';
import { type OutboxScenario, startOutboxScenario } from './outbox-frame.ts';

/** The bad one first, so that the others are behind it. */
async function expectRejected(scenario: OutboxScenario, bad: Readonly<Record<string, unknown>>, why: RegExp) {
  const { outbox, smtp, mail, entry, attempts, account } = scenario;
  const before = smtp.sink.length;
  const ids = [mail('bob@example.com', { priority: 1, ...bad }), mail('carl@example.com')] as const;
  await outbox.drain();
  expect(entry(ids[0])).toMatchObject({ state: 'rejected', attempt_count: 0 });
  expect(entry(ids[0]).last_error).toMatch(why);
  expect(attempts(ids[0])).toEqual([]);
  expect([entry(ids[1]).state, smtp.sink.length - before, account().smtp_state]).toEqual(['delivered', 1, 'ok']);
}

const deep = (open: string, close: string): string => `${open.repeat(20_000)}1${close.repeat(20_000)}`;

describe('a row', () => {
  it('with bytes where text belongs is rejected, whichever column it is', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'off' });
    const columns = ['to_addresses', 'cc_addresses', 'bcc_addresses', 'reply_to', 'from_address', 'smtp_from'];
    const others = ['recipients', 'subject', 'body_text', 'body_html', 'headers', 'attachments', 'message_id_header'];
    for (const column of [...columns, ...others]) {
      const why = new RegExp(`^${column}: holds bytes, expected text$`);
      await expectRejected(scenario, { [column]: Buffer.from('bob@example.com') }, why);
    }
  });

  it('with another type than the column’s is rejected', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'off' });
    await expectRejected(scenario, { raw: 5 }, /^raw: holds 5, expected bytes or text$/);
    await expectRejected(scenario, { raw: 5.5 }, /^raw: holds 5\.5, expected bytes or text$/);
    await expectRejected(scenario, { in_reply_to_id: 'abc' }, /^in_reply_to_id: holds "abc", expected the id/);
    await expectRejected(scenario, { in_reply_to_id: Buffer.from('1') }, /^in_reply_to_id: holds bytes, expected/);
    await expectRejected(scenario, { in_reply_to_id: 1.5 }, /^in_reply_to_id: holds 1\.5, expected the id/);
  });

  it('with JSON nested by the thousand is rejected', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'off' });
    const why = (column: string): RegExp => new RegExp(`^${column}: JSON nested more than 100 levels deep$`);
    await expectRejected(scenario, { to_addresses: deep('[', ']') }, why('to_addresses'));
    await expectRejected(scenario, { headers: `{"X":${deep('[', ']')}}` }, why('headers'));
    await expectRejected(scenario, { attachments: deep('[', ']') }, why('attachments'));
    const content = `[{"content":"aGk=","filename":"x","more":${deep('{"a":', '}')}}]`;
    await expectRejected(scenario, { attachments: content }, why('attachments'));
  });

  it('that composing stumbles over by a defect is rejected alone, and the defect is in the log', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'off' });
    // Stored mail that somebody has overwritten with a number.
    scenario.execute('INSERT INTO email_contents (id, sha256) VALUES (1, ?)', '1'.repeat(64));
    scenario.execute('INSERT INTO email_raw (content_id, raw) VALUES (1, 5)');
    scenario.execute(
      'INSERT INTO email_messages (id, acntid, emfdid, uidvalidity, uid, content_id, size) VALUES (1, ?, 1, 1, 1, 1, 1)',
      scenario.acntid,
    );
    const attachments = JSON.stringify([{ message_id: 1 }]);
    await expectRejected(scenario, { attachments }, /^cannot be composed: TypeError/);
    expect(scenario.outbox.lines.join('\n')).toMatch(/rejected: a defect of backproc: TypeError[\s\S]*\n +at /);
  });

  it('that has lost its composed mail is rejected', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'off' });
    scenario.smtp.script = ({ verb }) => (verb === 'RCPT' ? { reply: '451 later' } : undefined);
    const ids = [scenario.mail('bob@example.com'), scenario.mail('carl@example.com'), scenario.mail('d@example.com')];
    await scenario.outbox.drain();
    scenario.execute('UPDATE email_outbox SET raw = 5 WHERE id = ?', ids[0]);
    scenario.execute('UPDATE email_outbox SET smtp_from = ? WHERE id = ?', Buffer.from('a@b.de'), ids[1]);
    // Nothing else of it is read any more.
    scenario.execute('UPDATE email_outbox SET subject = ? WHERE id = ?', Buffer.from('hello'), ids[2]);
    scenario.smtp.script = undefined;
    scenario.outbox.advance(600_000);
    await scenario.outbox.drain();
    expect(ids.map((id) => scenario.entry(id).state)).toEqual(['rejected', 'rejected', 'delivered']);
    expect(ids.map((id) => scenario.entry(id).last_error)).toEqual([
      'raw: holds 5, expected bytes or text',
      'smtp_from: holds bytes, expected text',
      null,
    ]);
  });
});
