/** A server that asks for a login in the middle of a transaction: of one recipient, of all, or for the mail. */
import { describe, expect, it } from 'vitest';
import type { SmtpScript } from '../support/fake-smtp-server.ts';
import { startOutboxScenario } from './outbox-frame.ts';

const hourMs = 60 * 60_000;

describe('a login that is wanted', () => {
  it('for one recipient is his verdict: the others are served, once', async () => {
    const { outbox, smtp, mail, entry, recipients, account } = await startOutboxScenario({ sentCopy: 'off' });
    smtp.script = ({ verb, address }) =>
      verb === 'RCPT' && address.startsWith('relay') ? { reply: '530 5.7.1 Authentication required' } : undefined;
    const id = mail('local@example.com, relay@example.org');
    await outbox.drain();
    expect(recipients(id)).toEqual({ 'local@example.com': 'delivered', 'relay@example.org': 'rejected' });
    expect(entry(id)).toMatchObject({ state: 'delivered', attempt_count: 1, next_attempt_at: null });
    expect(account()).toMatchObject({ smtp_state: 'ok', state: 'ok' });
    outbox.advance(hourMs);
    await outbox.drain();
    expect(smtp.sink.map(({ recipient }) => recipient)).toEqual(['local@example.com']);
  });

  it('for one recipient does not have a mail sent again whose reply was lost', async () => {
    const { outbox, smtp, mail, entry, recipients } = await startOutboxScenario({ sentCopy: 'off' });
    smtp.script = ({ verb, address }) => {
      if (verb === 'DOT') return { ending: 'reset', reply: '', keeps: true };
      return verb === 'RCPT' && address.startsWith('relay') ? { reply: '530 5.7.1 login first' } : undefined;
    };
    const id = mail('local@example.com, relay@example.org');
    await outbox.drain();
    expect(recipients(id)).toEqual({ 'local@example.com': 'unknown', 'relay@example.org': 'rejected' });
    expect(entry(id).state).toBe('unknown');
    smtp.script = undefined;
    outbox.advance(hourMs);
    await outbox.drain();
    expect(smtp.sink).toHaveLength(1);
  });

  it('for everybody keeps the mail queued', async () => {
    const script: SmtpScript = ({ verb }) => (verb === 'RCPT' ? { reply: '530 5.7.1 login first' } : undefined);
    const { outbox, mail, entry, attempts, account } = await startOutboxScenario({ script });
    const id = mail('bob@example.com, carl@example.com');
    await outbox.drain();
    expect(entry(id)).toMatchObject({ state: 'queued', attempt_count: 0 });
    expect(attempts(id)).toEqual([]);
    expect(account().smtp_state).toBe('auth_error');
  });

  it('after the body counts as an attempt: the mail is put off, and the account is in trouble', async () => {
    const script: SmtpScript = ({ verb }) => (verb === 'DOT' ? { reply: '530 5.7.0 login first' } : undefined);
    const { outbox, mail, entry, attempts, account } = await startOutboxScenario({ script });
    const id = mail('bob@example.com');
    await outbox.drain();
    expect(entry(id)).toMatchObject({ state: 'deferred', attempt_count: 1 });
    expect(attempts(id)).toMatchObject([{ phase: 'body_sent', verdict: 'deferred', code: 530 }]);
    expect(account().smtp_state).toBe('auth_error');
  });
});
