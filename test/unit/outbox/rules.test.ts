import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { healthAfter, isOnlyAccounts } from '../../../src/outbox/account-health.ts';
import { isExpired, retryWaitMs, retryWaitMsMax } from '../../../src/outbox/backoff-schedule.ts';
import { allowanceOf, transactionsOf } from '../../../src/outbox/envelope.ts';
import {
  accountLimitMistakes,
  builtInProviders,
  type LimitSettings,
  limitsFor,
  readAccountLimits,
} from '../../../src/outbox/limits.ts';
import { threadingOf } from '../../../src/outbox/references.ts';
import { filingMode, firstLookMs, nextLookMs } from '../../../src/outbox/sent-copy.ts';
import { decideUnknown } from '../../../src/outbox/unknown-rule.ts';
import { entryStateOf, recoveredVerdict, waitMsMax } from '../../../src/store/outbox-state.ts';

const minuteMs = 60_000;

describe('the schedule', () => {
  it('asks at first within minutes, then a few times a day', () => {
    const waits = Array.from({ length: 10 }, (_, at) => retryWaitMs(at + 1, 0.5) / minuteMs);
    expect(waits).toEqual([5, 10, 20, 40, 80, 150, 240, 240, 240, 240]);
  });
  it('spreads by a tenth, and never waits longer than its bound', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, random) => {
          const waitMs = retryWaitMs(attempt, random);
          expect(waitMs).toBeGreaterThanOrEqual(retryWaitMs(attempt, 0));
          expect(waitMs).toBeLessThanOrEqual(retryWaitMsMax);
          expect(retryWaitMs(attempt, 1) / retryWaitMs(attempt, 0)).toBeCloseTo(1.1 / 0.9, 2);
        },
      ),
    );
  });
  it('never has a mail wait so long that the wait is taken for a wrong clock', () => {
    expect(retryWaitMsMax).toBeLessThan(waitMsMax);
  });
  it('ends after its days, counted from the first attempt', () => {
    const age = { attempt: 30, firstAttemptMs: 0, giveUpMs: 1000 };
    expect([isExpired({ ...age, nowMs: 999 }), isExpired({ ...age, nowMs: 1000 })]).toEqual([false, true]);
    expect(isExpired({ attempt: 30, firstAttemptMs: null, nowMs: 10 ** 12, giveUpMs: 1 })).toBe(false);
  });
  it('does not end because a clock jumped: only after tries enough for a server that greylists', () => {
    const years = { firstAttemptMs: 0, nowMs: 10 ** 12, giveUpMs: 1000 };
    expect([1, 2, 3, 4].map((attempt) => isExpired({ ...years, attempt }))).toEqual([false, false, false, true]);
  });
});

describe('recipients', () => {
  it('are split so that nobody is left out, doubled, or in too large a company', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.integer({ min: 1, max: 50 }), (recipients, max) => {
        const transactions = transactionsOf(recipients, max);
        expect(transactions.flat()).toEqual(recipients);
        for (const one of transactions) expect(one.length).toBeLessThanOrEqual(max);
        expect(transactions.every((one) => one.length > 0)).toBe(true);
      }),
    );
  });
});

const settings: LimitSettings = {
  connections: 5,
  messagesPerMinute: null,
  recipientsPerDay: null,
  recipientsPerMessage: 100,
  providers: {},
};

describe('limits', () => {
  it('are the provider’s by the end of its name, and never above the constants', () => {
    expect(limitsFor('smtp.gmail.com', settings, null)).toMatchObject({
      connections: 3,
      recipientsPerDay: 500,
      messagesPerMinute: null,
    });
    expect(limitsFor('smtp.office365.com', settings, null)).toMatchObject({
      messagesPerMinute: 28,
      recipientsPerMessage: 100,
    });
    expect(limitsFor('smtp-relay.gmail.com', settings, null).recipientsPerDay).toBe(10_000);
    expect(limitsFor('notgmail.com', settings, null)).toMatchObject({ connections: 5, recipientsPerDay: null });
    expect(limitsFor('SMTP.GMAIL.COM.', { ...settings, recipientsPerDay: 50 }, null).recipientsPerDay).toBe(50);
  });
  it('of the operator come before the built-in ones, those of the account before all', () => {
    const own = {
      ...settings,
      providers: { 'gmail.com': { connections: 9, recipientsPerDay: 2000 }, 'x.org': { messagesPerMinute: 3 } },
    };
    expect(limitsFor('smtp.gmail.com', own, null)).toMatchObject({ connections: 9, recipientsPerDay: 2000 });
    expect(limitsFor('smtp.gmail.com', own, '{"recipientsPerDay": null, "connections": 1}')).toMatchObject({
      connections: 1,
      recipientsPerDay: null,
    });
    expect(limitsFor('mail.x.org', own, null).messagesPerMinute).toBe(3);
  });
  it('that make no sense are as if they were not there', () => {
    for (const text of [
      '',
      'x',
      '[]',
      'null',
      '{"connections": 0}',
      '{"connections": "5"}',
      '{"messagesPerMinute": -1}',
      '{"connections": null}',
    ]) {
      expect(readAccountLimits(text)).toEqual({});
      expect(accountLimitMistakes(text)).toHaveLength(1);
    }
  });
  it('are told of one by one, where a part of them makes no sense', () => {
    const text = '{"connections": 2, "messagesPerMinute": "30", "recipientsPerDay": null, "recipientsPerHour": 5}';
    expect(readAccountLimits(text)).toEqual({ connections: 2, recipientsPerDay: null });
    expect(accountLimitMistakes(text)).toEqual([
      'messagesPerMinute is "30"; expected a whole number from 1 on',
      '"recipientsPerHour" is none of connections, messagesPerMinute, recipientsPerDay, recipientsPerMessage, messagesPerConnection',
    ]);
    expect(accountLimitMistakes(null)).toEqual([]);
  });
  it('built in are all usable', () => {
    for (const host of Object.keys(builtInProviders)) {
      const limits = limitsFor(`smtp.${host}`, settings, null);
      for (const value of [limits.connections, limits.recipientsPerMessage, limits.messagesPerConnection])
        expect(value).toBeGreaterThan(0);
    }
  });
  it('let no more begin than they leave', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 200 }), (limit, used) => {
        const allowance = allowanceOf(
          { messagesPerMinute: limit, recipientsPerDay: null },
          { messagesLastMinute: used, recipientsLastDay: 0 },
          0,
        );
        expect(allowance.messages).toBe(Math.max(0, limit - used));
        expect(allowance.notBefore !== null).toBe(used >= limit);
      }),
    );
  });
});

describe('the state of an entry', () => {
  const none = { untried: 0, delivered: 0, deferred: 0, rejected: 0, unknown: 0 };
  it.each([
    [{ untried: 1 }, 'queued'],
    [{ delivered: 1, deferred: 1, rejected: 1 }, 'delivered'],
    [{ deferred: 1, rejected: 1 }, 'deferred'],
    [{ rejected: 2 }, 'rejected'],
    [{ unknown: 1, delivered: 5 }, 'unknown'],
    [{ untried: 1, rejected: 1 }, 'queued'],
    [{}, 'queued'],
  ] as const)('of %j is %s', (counts, state) => expect(entryStateOf({ ...none, ...counts })).toBe(state));

  it('after an interruption depends on whether the body may have left', () => {
    expect(['sending', 'connect', 'data_started', 'body_sent'].map(recoveredVerdict)).toEqual([
      'deferred',
      'deferred',
      'unknown',
      'unknown',
    ]);
  });
});

describe('the Sent copy', () => {
  const habits = { sentCopy: 'auto', sentCopyLearned: null, smtpHost: 'mail.example.com' } as const;
  it('is the server’s, ours, or to be found out', () => {
    expect(filingMode(habits)).toBe('learn');
    expect(filingMode({ ...habits, smtpHost: 'smtp.gmail.com' })).toBe('server');
    expect(filingMode({ ...habits, sentCopyLearned: 'append' })).toBe('append');
    expect(filingMode({ ...habits, sentCopy: 'off', sentCopyLearned: 'append' })).toBe('off');
    expect(filingMode({ ...habits, smtpHost: 'evilgmail.com' })).toBe('learn');
  });
  it('is looked for a bounded number of times before one is made', () => {
    for (const mode of ['append', 'learn', 'server'] as const) {
      expect(firstLookMs(mode)).not.toBeNull();
      let looks = 1;
      while (nextLookMs(mode, looks) !== null) looks += 1;
      expect(looks).toBeLessThanOrEqual(3);
    }
    expect(firstLookMs('off')).toBeNull();
  });
});

describe('an unknown mail', () => {
  it('is never sent again where the operator says hold, whatever is seen', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        (isFound, wasResent, hasDelivered, looks) => {
          expect(decideUnknown({ isFound, wasResent, hasDelivered, looks, policy: 'hold' }).kind).not.toBe(
            'resend-once',
          );
          const decision = decideUnknown({ isFound, wasResent: true, hasDelivered, looks, policy: 'resend-once' });
          expect(decision.kind).not.toBe('resend-once');
        },
      ),
    );
  });
  it('was sent when its copy is found, unless that may be the copy of another transaction', () => {
    const look = { looks: 1, policy: 'hold', wasResent: false } as const;
    expect(decideUnknown({ ...look, isFound: true, hasDelivered: false }).kind).toBe('found');
    expect(decideUnknown({ ...look, isFound: true, hasDelivered: true }).kind).toBe('hold');
    expect(
      [1, 2, 3].map((looks) => decideUnknown({ ...look, looks, isFound: false, hasDelivered: false }).kind),
    ).toEqual(['look-again', 'look-again', 'hold']);
  });
});

describe('an account in trouble', () => {
  const failure = { code: 'timeout', scope: 'account', remedy: 'retry', detail: 'x' } as const;
  it('waits longer each time, for an operator the time that providers bear', () => {
    const waitOf = (failureCount: number, more = {}) =>
      Date.parse(
        healthAfter({ failure: { ...failure, ...more }, failureCount, nowMs: 0, authRetryMs: 1_800_000 }).retryAt ?? '',
      ) / minuteMs;
    expect([0, 1, 2, 5, 6, 60].map((count) => waitOf(count))).toEqual([1, 2, 4, 32, 60, 60]);
    expect(waitOf(0, { code: 'auth_failed', remedy: 'wait-operator' })).toBe(30);
  });
  it('costs its mails an attempt only where time heals it for them too', () => {
    expect([
      isOnlyAccounts(failure),
      isOnlyAccounts({ ...failure, code: 'auth_failed' }),
      isOnlyAccounts({ ...failure, code: 'token_unavailable' }),
    ]).toEqual([false, true, true]);
  });
});

describe('an answer', () => {
  it('names its parents in order, each once, and keeps the ends of a long conversation', () => {
    expect(threadingOf(null)).toEqual({ inReplyTo: null, references: [] });
    expect(threadingOf({ messageIdHeader: '<c@x>', inReplyTo: '<b@x>', references: null }).references).toEqual([
      '<b@x>',
      '<c@x>',
    ]);
    const long = Array.from({ length: 200 }, (_, at) => `<${at}@x>`).join(' ');
    const { references } = threadingOf({ messageIdHeader: '<new@x>', inReplyTo: null, references: long });
    expect(references).toHaveLength(30);
    expect([references[0], references.at(-1)]).toEqual(['<0@x>', '<new@x>']);
  });
  it('to a hostile mail takes nothing over but ids', () => {
    const evil = '<a@x>\r\nBcc: eve@evil.org <b@x\r\n> <c d@x> <e@x>';
    expect(threadingOf({ messageIdHeader: evil, inReplyTo: evil, references: evil })).toEqual({
      inReplyTo: '<a@x>',
      references: ['<a@x>', '<e@x>'],
    });
  });
});
