import { describe, expect, it } from 'vitest';
import { startOutboxScenario } from './outbox-frame.ts';

describe('the outbox', () => {
  it('sends an inserted row once, to everybody, with what was fixed before the first attempt', async () => {
    const { outbox, smtp, mail, entry, recipients, attempts } = await startOutboxScenario();
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
    expect(entry(id).raw?.toString('latin1')).toBe(raw);
    expect(raw).toContain(`X-Backproc-Id: ${entry(id).x_backproc_id}\r\n`);
    expect(raw).toContain(`Message-ID: ${entry(id).message_id_header}\r\n`);
    expect(raw).not.toMatch(/dora|bcc/i);
    await outbox.drain();
    expect(smtp.sink).toHaveLength(3);
  });
});
