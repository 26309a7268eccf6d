/** Every phase of a transaction × {cut, 4xx, 5xx, silence}: what it means for the mail, and that it is delivered at most once. */
import { describe, expect, it } from 'vitest';
import { type SmtpAction, type SmtpScript, type SmtpVerb, usualExtensions } from '../support/fake-smtp-server.ts';
import { type OutboxScenario, startOutboxScenario } from './outbox-frame.ts';

const minuteMs = 60_000;
/** Silence is given up after the tenth of a minute at most: MAIL 5, a block 3, the final dot 10 times this. */
const settings = { networkTimeoutMs: 150 };

const once = (verb: SmtpVerb, action: SmtpAction): SmtpScript => {
  let isSpent = false;
  return (step) => {
    if (step.verb !== verb || isSpent) return undefined;
    isSpent = true;
    return action;
  };
};

/** After the fault, time passes and the server behaves. */
async function recover({ outbox, smtp }: OutboxScenario): Promise<void> {
  smtp.script = undefined;
  outbox.advance(30 * minuteMs);
  await outbox.drain();
}

const copies = ({ smtp }: OutboxScenario): number => smtp.sink.length;

describe('a fault before the final dot', () => {
  const verbs = ['CONNECT', 'EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'BODY'] as const;
  const faults = {
    'a cut': { ending: 'reset' },
    'a close': { ending: 'close', isSilent: true },
    'a 4xx': { reply: '451 4.3.0 try again' },
    'a 421': { reply: '421 4.3.2 closing', ending: 'close' },
    silence: { isSilent: true },
  } as const satisfies Record<string, SmtpAction>;
  const cases = verbs
    .flatMap((verb) => Object.entries(faults).map(([name, action]) => ({ verb, name, action })))
    // A server that does not know EHLO is greeted with HELO.
    .filter(({ verb, name }) => verb !== 'EHLO' || name !== 'a 4xx');
  /** Large enough that its end has not left when the fault comes. */
  const largeText = `${'x'.repeat(70)}\n`.repeat(170_000);

  it.each(cases)('$verb: $name puts the mail off, and it is delivered once later', async ({ verb, action }) => {
    const scenario = await startOutboxScenario({ settings, script: once(verb, action) });
    const id = scenario.mail('bob@example.com', verb === 'BODY' ? { body_text: largeText } : {});
    await scenario.outbox.drain();
    expect(['queued', 'deferred']).toContain(scenario.entry(id).state);
    expect(scenario.entry(id).last_error).not.toBeNull();
    expect(copies(scenario)).toBe(0);
    await recover(scenario);
    expect(scenario.entry(id)).toMatchObject({ state: 'delivered', last_error: null });
    expect(copies(scenario)).toBe(1);
  });

  it.each(['MAIL', 'DATA'] as const)('a 5xx to %s rejects the mail for good', async (verb) => {
    const scenario = await startOutboxScenario({ script: once(verb, { reply: '550 5.7.1 not wanted' }) });
    const id = scenario.mail('bob@example.com');
    await scenario.outbox.drain();
    expect(scenario.entry(id)).toMatchObject({ state: 'rejected', last_code: 550, last_error: '550 5.7.1 not wanted' });
    await recover(scenario);
    expect(copies(scenario)).toBe(0);
  });
});

describe('DATA that is not answered with 354', () => {
  it.each([
    ['with pipelining', usualExtensions],
    ['without', ['8BITMIME']],
  ])('keeps the body, which the server would take for commands, %s', async (_, extensions) => {
    const scenario = await startOutboxScenario({ extensions, script: once('DATA', { reply: '250 2.0.0 ok' }) });
    const id = scenario.mail('bob@example.com', { body_text: 'MAIL FROM:<mallory@example.com>\n' });
    await scenario.outbox.drain();
    expect(scenario.entry(id)).toMatchObject({ state: 'deferred' });
    expect(scenario.entry(id).last_error).toMatch(/DATA was answered with 250 2\.0\.0 ok/);
    expect(scenario.attempts(id)).toMatchObject([{ phase: 'envelope', verdict: 'deferred' }]);
    expect(scenario.smtp.commands.filter((line) => /mallory|Subject/.test(line))).toEqual([]);
    await recover(scenario);
    expect(copies(scenario)).toBe(1);
  });
});

describe('a fault after the final dot', () => {
  it.each([
    ['a cut', { ending: 'reset', keeps: true, reply: '' }],
    ['silence', { isSilent: true, keeps: true }],
    ['a close', { ending: 'close', keeps: true, reply: '' }],
    ['half a reply', { reply: '250 2.0.0 que', ending: 'close', keeps: true }],
    ['a reply that is none', { reply: 'what?', ending: 'close', keeps: true }],
  ] as [string, SmtpAction][])(
    '%s makes the outcome unknown, and the mail is never sent again by itself',
    async (_, action) => {
      const scenario = await startOutboxScenario({ settings, script: once('DOT', action) });
      const id = scenario.mail('bob@example.com');
      await scenario.outbox.drain();
      expect(scenario.entry(id)).toMatchObject({ state: action.reply?.startsWith('250') ? 'delivered' : 'unknown' });
      for (let look = 0; look < 10; look += 1) await recover(scenario);
      expect(copies(scenario)).toBe(1);
      expect(scenario.attempts(id)).toHaveLength(1);
    },
  );

  it('a 4xx says that the server does not have the mail', async () => {
    const scenario = await startOutboxScenario({ script: once('DOT', { reply: '451 4.3.0 disk full', keeps: false }) });
    const id = scenario.mail('bob@example.com');
    await scenario.outbox.drain();
    expect(scenario.entry(id)).toMatchObject({ state: 'deferred', last_code: 451 });
    await recover(scenario);
    expect(scenario.attempts(id).map(({ verdict }) => verdict)).toEqual(['deferred', 'delivered']);
    expect(copies(scenario)).toBe(1);
  });

  it('a 5xx rejects the mail', async () => {
    const scenario = await startOutboxScenario({ script: once('DOT', { reply: '554 5.6.0 spam', keeps: false }) });
    const id = scenario.mail('bob@example.com');
    await scenario.outbox.drain();
    expect(scenario.entry(id)).toMatchObject({ state: 'rejected', last_code: 554 });
  });

  it('a late reply is waited for, and everybody can see that the body is out', async () => {
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const scenario = await startOutboxScenario({
      script: async ({ verb }) => {
        if (verb === 'DOT') await held;
        return undefined;
      },
    });
    const id = scenario.mail('bob@example.com');
    const drained = scenario.outbox.drain();
    await expect.poll(() => scenario.attempts(id).at(0)?.phase, { timeout: 5000 }).toBe('body_sent');
    expect(scenario.entry(id).state).toBe('sending');
    answer();
    await drained;
    expect(scenario.entry(id).state).toBe('delivered');
  });
});

describe('a body that is cut half way', () => {
  it('was not delivered, however much of it had left', async () => {
    const scenario = await startOutboxScenario({ settings });
    let received = 0;
    scenario.smtp.script = ({ verb }) => {
      if (verb !== 'BODY' || received > 0) return undefined;
      received += 1;
      return { ending: 'reset', reply: '' };
    };
    const id = scenario.mail('bob@example.com', { body_text: `${'x'.repeat(70)}\n`.repeat(200_000) });
    await scenario.outbox.drain();
    expect(scenario.entry(id).state).toBe('deferred');
    expect(scenario.attempts(id)).toMatchObject([{ phase: 'data_started', verdict: 'deferred' }]);
    await recover(scenario);
    expect(copies(scenario)).toBe(1);
  });

  it('a server that takes no more of it is given up', async () => {
    const scenario = await startOutboxScenario({ settings, script: once('BODY', { isSilent: true }) });
    const id = scenario.mail('bob@example.com', { body_text: `${'x'.repeat(70)}\n`.repeat(400_000) });
    await scenario.outbox.drain();
    expect(['deferred', 'unknown']).toContain(scenario.entry(id).state);
    await recover(scenario);
    expect(copies(scenario)).toBeLessThanOrEqual(1);
  });

  it('a refusal in the middle of it counts, and the connection is not used again', async () => {
    const scenario = await startOutboxScenario({
      script: once('BODY', { reply: '552 5.3.4 too big', ending: 'close' }),
    });
    const id = scenario.mail('bob@example.com', { body_text: `${'x'.repeat(70)}\n`.repeat(100_000) });
    await scenario.outbox.drain();
    expect(scenario.entry(id)).toMatchObject({ state: 'rejected', last_code: 552 });
  });

  it('a yes before it has left is not believed', async () => {
    const scenario = await startOutboxScenario({ script: once('DATA', { reply: '354 go\r\n250 2.0.0 queued' }) });
    const id = scenario.mail('bob@example.com', { body_text: `${'x'.repeat(70)}\n`.repeat(100_000) });
    await scenario.outbox.drain();
    // A busy machine may have handed all of it to the kernel before it reads the reply: then nobody knows.
    const { state } = scenario.entry(id);
    expect(['deferred', 'unknown']).toContain(state);
    await recover(scenario);
    expect(scenario.entry(id).state).toBe(state === 'deferred' ? 'delivered' : 'unknown');
  });
});
