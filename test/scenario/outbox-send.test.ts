import { describe, expect, it } from 'vitest';
import { startOutboxScenario } from './outbox-frame.ts';

describe('the outbox', () => {
  it('sends an inserted row once, to everybody, with what was fixed before the first attempt', async () => {
    const { outbox, smtp, mail, entry, composed, recipients, attempts } = await startOutboxScenario();
    const id = mail('bob@example.com, Carl <carl@example.com>', { bcc_addresses: '["dora@example.com"]' });
    await outbox.drain();
    expect(entry(id)).toMatchObject({ state: 'delivered', attempt_count: 1, last_error: null, next_attempt_at: null });
    expect(recipients(id)).toEqual({
      'bob@example.com': 'delivered',
      'carl@example.com': 'delivered',
      'dora@example.com': 'delivered',
    });
    expect(attempts(id)).toMatchObject([{ phase: 'body_sent', verdict: 'delivered', code: 250 }]);
    expect(smtp.sink.map(({ recipient }) => recipient)).toEqual([
      'bob@example.com',
      'carl@example.com',
      'dora@example.com',
    ]);
    const raw = smtp.sink[0]?.raw.toString('latin1') ?? '';
    expect(composed(id).toString('latin1')).toBe(raw);
    expect(raw).toContain(`X-Backproc-Id: ${entry(id).x_backproc_id}\r\n`);
    expect(raw).toContain(`Message-ID: ${entry(id).message_id_header}\r\n`);
    expect(raw).not.toMatch(/dora|^bcc:/im);
    await outbox.drain();
    expect(smtp.sink).toHaveLength(3);
  });

  it('leaves the address columns as they were understood', async () => {
    const { outbox, mail, query } = await startOutboxScenario({ sentCopy: 'off' });
    mail('Bob <bob@EXAMPLE.com>', { cc_addresses: '["carl@example.com"]' });
    await outbox.drain();
    expect(
      query('SELECT from_address, to_addresses, cc_addresses, bcc_addresses, recipients FROM email_outbox'),
    ).toEqual([
      {
        from_address: '[{"name":"Anna Nowak","address":"anna@example.com"}]',
        to_addresses: '[{"name":"Bob","address":"bob@example.com"}]',
        cc_addresses: '[{"name":"","address":"carl@example.com"}]',
        bcc_addresses: '[]',
        recipients: '["bob@example.com","carl@example.com"]',
      },
    ]);
  });

  it('stops between mails when it is told to, and the rest is as if it had never begun', async () => {
    const { outbox, smtp, mail, query } = await startOutboxScenario({ connections: 1, sentCopy: 'off' });
    for (let count = 0; count < 20; count += 1) mail(`u${count}@example.com`);
    let dots = 0;
    smtp.script = ({ verb }) => {
      dots += verb === 'DOT' ? 1 : 0;
      if (dots === 3) outbox.abort();
      return undefined;
    };
    await outbox.sendOnce();
    const states = query<{ state: string; tries: number }>('SELECT state, attempt_count AS tries FROM email_outbox');
    expect(states.filter(({ state }) => state === 'delivered')).toHaveLength(3);
    expect(states.filter(({ state, tries }) => state === 'queued' && tries === 0)).toHaveLength(17);
    expect(smtp.sink).toHaveLength(3);
  });
});
