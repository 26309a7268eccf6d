/** Recipients with fates of their own, the schedule over days, and trouble that is the account's. */
import { describe, expect, it } from 'vitest';
import { type SmtpScript, usualExtensions } from '../support/fake-smtp-server.ts';
import { startOutboxScenario } from './outbox-frame.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** `code@…` is answered with that code at RCPT. */
const byAddress: SmtpScript = ({ verb, address }) => {
  const code = /^([45]\d\d)/.exec(address)?.[1];
  return verb === 'RCPT' && code !== undefined ? { reply: `${code} 4.2.0 no` } : undefined;
};

describe('recipients', () => {
  it('have verdicts of their own: one is served, one refused, one tried again alone, with the same mail', async () => {
    const { outbox, smtp, mail, entry, recipients } = await startOutboxScenario({ script: byAddress });
    const id = mail('bob@example.com, 550@example.com, 451@example.com');
    await outbox.drain();
    const fates = { 'bob@example.com': 'delivered', '550@example.com': 'rejected', '451@example.com': 'deferred' };
    expect(recipients(id)).toEqual(fates);
    expect(entry(id)).toMatchObject({ state: 'delivered', last_error: '550 4.2.0 no' });
    expect(entry(id).next_attempt_at).not.toBeNull();
    smtp.script = undefined;
    outbox.advance(10 * minuteMs);
    await outbox.drain();
    expect(recipients(id)).toEqual({ ...fates, '451@example.com': 'delivered' });
    expect(entry(id).next_attempt_at).toBeNull();
    expect(smtp.sink.map(({ recipient }) => recipient)).toEqual(['bob@example.com', '451@example.com']);
    expect(new Set(smtp.sink.map(({ sha256 }) => sha256)).size).toBe(1);
  });

  it('that are all refused make the mail rejected; all put off, deferred', async () => {
    const { outbox, mail, entry, smtp } = await startOutboxScenario({ script: byAddress });
    const [refused, putOff] = [mail('550@example.com, 553@example.com'), mail('451@example.com, 550@example.com')];
    await outbox.drain();
    expect([entry(refused).state, entry(putOff).state]).toEqual(['rejected', 'deferred']);
    expect(smtp.sink).toEqual([]);
  });

  it('of a server without pipelining are asked one by one, to the same end', async () => {
    const { outbox, mail, recipients } = await startOutboxScenario({ script: byAddress, extensions: ['8BITMIME'] });
    const id = mail('bob@example.com, 550@example.com, 451@example.com');
    await outbox.drain();
    expect(recipients(id)).toEqual({
      'bob@example.com': 'delivered',
      '550@example.com': 'rejected',
      '451@example.com': 'deferred',
    });
  });

  it.each([
    ['with pipelining', usualExtensions],
    ['without', []],
  ])('whose reply is no reply at all are put off, not refused, %s', async (_, extensions) => {
    const script: SmtpScript = ({ verb, address }) =>
      verb === 'RCPT' && address.startsWith('odd') ? { reply: 'hello there' } : undefined;
    const { outbox, mail, recipients } = await startOutboxScenario({ script, extensions });
    const id = mail('bob@example.com, odd@example.com');
    await outbox.drain();
    expect(recipients(id)).toEqual({ 'bob@example.com': 'delivered', 'odd@example.com': 'deferred' });
  });

  it.each(['452 4.5.3 Too many recipients', '552 5.5.3 Too many recipients', '552 too many recipients'])(
    'that are too many for one mail (%s) get the next one at once, all of them',
    async (reply) => {
      const taken = new Map<number, number>();
      const { outbox, smtp, mail, recipients } = await startOutboxScenario({
        sentCopy: 'off',
        script({ verb, transaction }) {
          if (verb !== 'RCPT') return undefined;
          taken.set(transaction, (taken.get(transaction) ?? 0) + 1);
          return (taken.get(transaction) ?? 0) > 10 ? { reply } : undefined;
        },
      });
      const id = mail(Array.from({ length: 45 }, (__, index) => `r${index}@example.com`).join(', '));
      await outbox.drain();
      expect(new Set(Object.values(recipients(id)))).toEqual(new Set(['delivered']));
      expect(smtp.sink).toHaveLength(45);
      expect(new Set(smtp.sink.map(({ recipient }) => recipient)).size).toBe(45);
    },
  );

  it('that are too many although nobody was taken wait as others do', async () => {
    const script: SmtpScript = ({ verb }) => (verb === 'RCPT' ? { reply: '552 5.5.3 Too many recipients' } : undefined);
    const { outbox, mail, entry, attempts } = await startOutboxScenario({ script });
    const id = mail('bob@example.com, carl@example.com');
    await outbox.drain();
    expect(entry(id).state).toBe('deferred');
    expect(attempts(id)).toHaveLength(1);
  });

  it('in the hundreds go out a hundred at a time; a lost reply leaves one part unknown and sends nobody anything twice', async () => {
    let dots = 0;
    const { outbox, smtp, mail, entry, attempts, execute } = await startOutboxScenario({
      connections: 1,
      script: ({ verb }) => {
        dots += verb === 'DOT' ? 1 : 0;
        return verb === 'DOT' && dots === 2 ? { ending: 'reset', reply: '', keeps: true } : undefined;
      },
    });
    const id = mail(Array.from({ length: 250 }, (_, at) => `u${at}@example.com`).join(', '));
    await outbox.drain();
    expect(attempts(id).filter(({ verdict }) => verdict === 'delivered')).toHaveLength(2);
    expect(attempts(id).filter(({ verdict }) => verdict === 'unknown')).toHaveLength(1);
    expect(entry(id).state).toBe('unknown');
    for (let look = 0; look < 5; look += 1) {
      outbox.advance(10 * minuteMs);
      await outbox.drain();
    }
    expect(entry(id).state).toBe('unknown');
    expect(new Set(smtp.sink.map(({ recipient }) => recipient)).size).toBe(250);
    expect(smtp.sink).toHaveLength(250);
    // SQL that puts it back sends nobody the mail again either.
    execute("UPDATE email_outbox SET state = 'queued'");
    await outbox.drain();
    expect(entry(id).state).toBe('unknown');
    expect(smtp.sink).toHaveLength(250);
  });

  it('named twice, in any case, get the mail once', async () => {
    const { outbox, smtp, mail } = await startOutboxScenario();
    mail('Bob <bob@example.com>, BOB@Example.com', { cc_addresses: 'bob@example.com' });
    await outbox.drain();
    expect(smtp.sink).toHaveLength(1);
  });
});

describe('a server that puts a mail off for days', () => {
  it('is asked less and less often, a notice is given once, and after five days the mail is given up', async () => {
    const script: SmtpScript = ({ verb }) => (verb === 'RCPT' ? { reply: '450 4.2.1 greylisted' } : undefined);
    const { outbox, smtp, mail, entry, attempts, query } = await startOutboxScenario({ script });
    const id = mail('bob@example.com');
    await outbox.drain();
    let hours = 0;
    for (; entry(id).state === 'deferred' && hours < 200; hours += 1) {
      outbox.advance(hourMs);
      await outbox.drain();
    }
    expect(hours).toBeGreaterThanOrEqual(120);
    expect(hours).toBeLessThanOrEqual(125);
    expect(entry(id)).toMatchObject({
      state: 'rejected',
      last_error: 'given up after 120 hours: 450 4.2.1 greylisted',
    });
    expect(entry(id).delayed_at).not.toBeNull();
    expect(attempts(id).length).toBeGreaterThan(20);
    expect(attempts(id).length).toBeLessThan(60);
    expect(query('SELECT kind FROM email_changes WHERE outbox_id IS NOT NULL')).toEqual([
      { kind: 'outbox_delayed' },
      { kind: 'outbox_rejected' },
    ]);
    expect(smtp.sink).toEqual([]);
  });
});

describe('trouble that is the account’s', () => {
  it('a refused login keeps the mail queued without an attempt, and is tried again seldom', async () => {
    const script: SmtpScript = ({ verb }) => (verb === 'AUTH' ? { reply: '535 5.7.8 bad password' } : undefined);
    const { outbox, smtp, mail, entry, attempts, account, acntid } = await startOutboxScenario({ script });
    const ids = [mail('bob@example.com'), mail('carl@example.com')];
    await outbox.drain();
    for (const id of ids) {
      expect(entry(id)).toMatchObject({ state: 'queued', attempt_count: 0 });
      expect(attempts(id)).toEqual([]);
    }
    expect(account()).toMatchObject({ smtp_state: 'auth_error', state: 'auth_error' });
    expect(account().smtp_last_error).toMatch(/^auth_failed: .*535 5\.7\.8 bad password/);
    const { connectionCount } = smtp;
    await outbox.drain();
    expect(smtp.connectionCount).toBe(connectionCount);
    smtp.script = undefined;
    await outbox.ports.store.updateAccount(acntid, { password: 'right' });
    await outbox.drain();
    expect(ids.map((id) => entry(id).state)).toEqual(['delivered', 'delivered']);
    expect(account()).toMatchObject({ smtp_state: 'ok', state: 'ok' });
  });

  it('a login that is wanted at MAIL is no reason to reject the mail', async () => {
    const script: SmtpScript = ({ verb }) =>
      verb === 'MAIL' ? { reply: '530 5.7.0 authentication required' } : undefined;
    const { outbox, mail, entry, account } = await startOutboxScenario({ script });
    const id = mail('bob@example.com');
    await outbox.drain();
    expect(entry(id)).toMatchObject({ state: 'queued', attempt_count: 0 });
    expect(account().smtp_state).toBe('auth_error');
  });

  it.each([
    ['450 4.7.1 Error: too much mail from 127.0.0.1', 'deferred', 'backoff'],
    ['550 5.7.1 sender rejected', 'rejected', 'ok'],
    ['452 4.5.3 rate limit exceeded', 'deferred', 'backoff'],
    ['530 5.7.0 authentication required', 'queued', 'auth_error'],
  ])('MAIL that is refused with %s is what counts, not what RCPT and DATA then get', async (reply, state, health) => {
    const script: SmtpScript = ({ verb }) => {
      if (verb === 'MAIL') return { reply };
      return verb === 'RCPT' || verb === 'DATA' ? { reply: '503 5.5.1 Error: need MAIL command' } : undefined;
    };
    const { outbox, mail, entry, account } = await startOutboxScenario({ script });
    const id = mail('bob@example.com, carl@example.com');
    await outbox.drain();
    expect(entry(id)).toMatchObject({ state, last_error: expect.stringContaining(reply) as unknown });
    expect(account().smtp_state).toBe(health);
  });

  it('a day’s quota that is used up puts everything off, although the code is permanent', async () => {
    const reply = '550 5.4.5 Daily user sending limit exceeded';
    const script: SmtpScript = ({ verb }) => (verb === 'DATA' ? { reply } : undefined);
    const { outbox, mail, entry, account } = await startOutboxScenario({ script });
    const ids = [mail('bob@example.com'), mail('carl@example.com')];
    await outbox.drain();
    expect(ids.map((id) => entry(id).state)).not.toContain('rejected');
    expect(account().smtp_retry_at).not.toBeNull();
  });

  it('a server that is down costs one attempt, and the account waits longer and longer', async () => {
    const { outbox, smtp, mail, entry, attempts, account } = await startOutboxScenario();
    const ids = ['a', 'b', 'c', 'd', 'e'].map((name) => mail(`${name}@example.com`));
    await smtp.stop();
    await outbox.drain();
    expect(ids.flatMap((id) => attempts(id))).toMatchObject([{ phase: 'connect', verdict: 'deferred' }]);
    expect(ids.filter((id) => entry(id).state === 'queued')).toHaveLength(4);
    const waits: number[] = [];
    for (let failure = 0; failure < 4; failure += 1) {
      waits.push(Date.parse(account().smtp_retry_at ?? '') - outbox.ports.clock().getTime());
      outbox.advance((waits.at(-1) ?? 0) + 1000);
      await outbox.drain();
    }
    expect(waits.map((ms) => Math.round(ms / minuteMs))).toEqual([1, 2, 4, 8]);
  });

  it('a port where TLS is expected and none is spoken costs no attempt, and the reason is one line', async () => {
    const { outbox, mail, entry, attempts, account, execute } = await startOutboxScenario();
    execute("UPDATE email_accounts SET smtp_security = 'tls'");
    const id = mail('bob@example.com');
    await outbox.drain();
    expect(entry(id)).toMatchObject({ state: 'queued', attempt_count: 0 });
    expect(attempts(id)).toEqual([]);
    expect(entry(id).last_error).toMatch(/^not_smtp: smtp 127\.0\.0\.1:\d+: .*\S$/);
    expect(account()).toMatchObject({ smtp_state: 'backoff', smtp_last_error: entry(id).last_error });
  });

  it('an account without a server for sending keeps its mail and says so', async () => {
    const { outbox, mail, entry, account } = await startOutboxScenario({ account: { smtp: null } });
    const id = mail('bob@example.com');
    await outbox.drain();
    expect(entry(id).state).toBe('queued');
    expect(account().smtp_last_error).toMatch(/^smtp_missing/);
  });

  it('a stored plaintext server that is not this machine never sees the password', async () => {
    const smtp = { host: 'mail.example.com', port: 25, security: 'none', user: 'anna' } as const;
    const { outbox, mail, account } = await startOutboxScenario({ account: { smtp } });
    mail('bob@example.com');
    await outbox.drain();
    expect(account().smtp_last_error).toMatch(/^tls_unavailable: .*plaintext was not allowed/);
  });
});

describe('limits', () => {
  it('of connections, messages a minute and recipients a day hold mail back and let it go later', async () => {
    const scenario = await startOutboxScenario({ connections: 10 });
    const { outbox, smtp, mail, execute, query } = scenario;
    execute(
      'UPDATE email_accounts SET outbox_limits = ?',
      '{"connections": 2, "messagesPerMinute": 5, "recipientsPerDay": 8}',
    );
    for (let count = 0; count < 12; count += 1) mail(`u${count}@example.com`);
    await outbox.drain();
    expect(smtp.sink).toHaveLength(5);
    expect(smtp.openCountMax).toBeLessThanOrEqual(2);
    for (let wait = 0; wait < 12; wait += 1) {
      outbox.advance(15_000);
      await outbox.drain();
    }
    expect(smtp.sink).toHaveLength(8);
    outbox.advance(24 * hourMs);
    await outbox.drain();
    expect(smtp.sink).toHaveLength(12);
    expect(query("SELECT id FROM email_outbox WHERE state <> 'delivered'")).toEqual([]);
  });

  it('that were mistyped hold nothing back, and the log says which', async () => {
    const { outbox, smtp, mail, execute } = await startOutboxScenario();
    execute('UPDATE email_accounts SET outbox_limits = ?', '{"messagesPerMinute": "1"}');
    for (const to of ['b@example.com', 'c@example.com']) mail(to);
    await outbox.drain();
    expect(smtp.sink).toHaveLength(2);
    expect(outbox.lines.join('\n')).toMatch(
      /outbox_limits does not count: messagesPerMinute is "1"; expected a whole number/,
    );
  });

  it('send what is more important first, and nothing before its time', async () => {
    const { outbox, smtp, mail } = await startOutboxScenario({ connections: 1 });
    mail('low@example.com', { priority: -1 });
    mail('usual@example.com');
    mail('high@example.com', { priority: 5 });
    mail('later@example.com', { priority: 9, send_after: new Date(Date.now() + hourMs).toISOString() });
    await outbox.drain();
    expect(smtp.sink.map(({ recipient }) => recipient.split('@')[0])).toEqual(['high', 'usual', 'low']);
    outbox.advance(hourMs + 1000);
    await outbox.drain();
    expect(smtp.sink).toHaveLength(4);
  });

  it('order whatever an application writes as a priority, also what no number of ours can hold', async () => {
    const { outbox, smtp, mail, execute } = await startOutboxScenario({ connections: 1, sentCopy: 'off' });
    const priorities: [name: string, priority: string][] = [
      ['lowest', '-9223372036854775808'],
      ['low', '-9007199254740993'],
      ['usual', '0'],
      ['half', '0.5'],
      ['high', '9007199254740992'],
      ['higher', '9007199254740993'],
      ['highest', '9223372036854775807'],
      ['infinite', '9e999'],
      ['word', "'high'"],
      ['bytes', "x'01'"],
    ];
    for (const [name, priority] of priorities) {
      const id = mail(`${name}@example.com`, { state: 'held' });
      execute(`UPDATE email_outbox SET priority = ${priority} WHERE id = ?`, id);
    }
    execute("UPDATE email_outbox SET state = 'queued'");
    await outbox.sendOnce();
    const sent = smtp.sink.map(({ recipient }) => recipient.split('@')[0]);
    expect(sent.reverse()).toEqual(priorities.map(([name]) => name));
  });

  it('a server that grants fewer connections than are tried still gets everything over those it grants', async () => {
    const { outbox, smtp, mail, query } = await startOutboxScenario({ connections: 5 });
    smtp.script = ({ verb }) =>
      verb === 'CONNECT' && smtp.openCount > 2
        ? { reply: '421 4.3.2 too many connections', ending: 'close' }
        : undefined;
    for (let count = 0; count < 60; count += 1) mail(`u${count}@example.com`);
    await outbox.drain();
    expect(query("SELECT id FROM email_outbox WHERE state <> 'delivered'")).toEqual([]);
    expect(smtp.sink).toHaveLength(60);
  });

  it('a server that leaves further connections without a greeting delays no mail', async () => {
    const { outbox, smtp, mail, query, account } = await startOutboxScenario({
      connections: 5,
      settings: { networkTimeoutMs: 300 },
    });
    smtp.script = ({ verb, connection }) => (verb === 'CONNECT' && connection > 1 ? { isSilent: true } : undefined);
    for (let count = 0; count < 20; count += 1) mail(`u${count}@example.com`);
    await outbox.drain();
    expect(query("SELECT id FROM email_outbox WHERE state <> 'delivered' OR attempt_count > 1")).toEqual([]);
    expect(smtp.sink).toHaveLength(20);
    expect(account()).toMatchObject({ smtp_state: 'ok', smtp_last_error: null });
  });
});

describe('a send_after that is no time', () => {
  it.each(['2026-00-00T00:00:00.000Z', '2099-11-26T23:59:60.000Z', '9999-99-99T99:99:99.999Z'])(
    'rejects its entry at once and stops no other: %s',
    async (sendAfter) => {
      const { outbox, smtp, mail, entry } = await startOutboxScenario({ sentCopy: 'off' });
      const bad = mail('bad@example.com', { send_after: sendAfter });
      const good = mail('bob@example.com');
      const low = mail('low@example.com', { send_after: sendAfter, priority: -1 });
      await outbox.drain();
      const lastError = `send_after: ${sendAfter} is no time`;
      expect(entry(bad)).toMatchObject({ state: 'rejected', last_error: lastError, attempt_count: 0 });
      expect(entry(low)).toMatchObject({ state: 'rejected', last_error: lastError });
      expect(entry(good)).toMatchObject({ state: 'delivered' });
      expect(smtp.sink).toHaveLength(1);
    },
  );

  it('rejects its entry when its turn comes, behind mail that waits for its time', async () => {
    const { outbox, mail, entry } = await startOutboxScenario({ sentCopy: 'off' });
    const good = mail('bob@example.com', { send_after: new Date(Date.now() + hourMs).toISOString() });
    const bad = mail('bad@example.com', { send_after: '2099-13-01T00:00:00.000Z' });
    await outbox.drain();
    expect([entry(good).state, entry(bad).state]).toEqual(['queued', 'queued']);
    outbox.advance(hourMs + 1000);
    await outbox.drain();
    expect([entry(good).state, entry(bad).state]).toEqual(['delivered', 'rejected']);
  });
});

describe('connections', () => {
  it('that wait for a slow server do not keep back what is inserted meanwhile', async () => {
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let dots = 0;
    const { outbox, mail, entry } = await startOutboxScenario({
      script: async ({ verb }) => {
        dots += verb === 'DOT' ? 1 : 0;
        if (verb === 'DOT' && dots === 1) await held;
        return undefined;
      },
    });
    const slow = mail('bob@example.com');
    const drained = outbox.drain();
    await expect.poll(() => entry(slow).state, { timeout: 5000 }).toBe('sending');
    const next = mail('carl@example.com');
    await expect.poll(() => entry(next).state, { timeout: 5000 }).toBe('delivered');
    expect(entry(slow).state).toBe('sending');
    answer();
    await drained;
    expect(entry(slow).state).toBe('delivered');
  });

  it('are kept for the mail that follows, and a dropped one is noticed before anything is lost', async () => {
    const { outbox, smtp, mail, entry, attempts } = await startOutboxScenario({ sentCopy: 'off' });
    mail('bob@example.com');
    await outbox.drain();
    mail('carl@example.com');
    await outbox.drain();
    expect(smtp.connectionCount).toBe(1);
    let isDropped = false;
    smtp.script = ({ verb, connection }) => {
      if (verb !== 'MAIL' || connection !== 1) return undefined;
      isDropped = true;
      return { ending: 'reset', reply: '' };
    };
    const id = mail('dora@example.com');
    await outbox.drain();
    expect(isDropped).toBe(true);
    expect(entry(id)).toMatchObject({ state: 'delivered', attempt_count: 1 });
    expect(attempts(id)).toHaveLength(1);
    expect(smtp.sink).toHaveLength(3);
  });
});
