import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountKind, judge, type Trial, troubleOf } from '../../../src/outbox/verdict.ts';
import { parseReply } from '../../../src/smtp/reply.ts';
import type { RecipientReply, Reply, SendOutcome, SendPhase } from '../../../src/smtp/session.ts';

const trial = (more: Partial<Trial> = {}): Trial => ({
  recipients: ['a@x.org', 'b@x.org'],
  attempt: 1,
  firstAttemptMs: null,
  nowMs: Date.parse('2026-11-24T12:00:00.000Z'),
  giveUpMs: 120 * 3_600_000,
  random: 0.5,
  ...more,
});
const lost = {
  code: 'connection_lost',
  scope: 'account',
  remedy: 'retry',
  detail: 'sending: Connection closed',
} as const;
const outcome = (phase: SendPhase, reply: Reply | null, more: Partial<SendOutcome> = {}): SendOutcome => ({
  phase,
  accepted: [],
  refused: [],
  reply,
  failure: reply === null ? lost : null,
  ...more,
});
const reply = (code: number, text = `${code} words`): Reply => ({ code, text });
const verdicts = (given: SendOutcome, more: Partial<Trial> = {}): string[] =>
  judge(given, trial(more)).recipients.map(({ verdict }) => verdict);

describe('a verdict', () => {
  const phases: SendPhase[] = ['envelope', 'data_started', 'body_sent'];
  it.each([
    ['no reply', null, ['deferred', 'deferred', 'unknown']],
    ['2xx', reply(250), ['deferred', 'unknown', 'delivered']],
    ['4xx', reply(451), ['deferred', 'deferred', 'deferred']],
    ['5xx', reply(550), ['rejected', 'rejected', 'rejected']],
    ['503', reply(503), ['deferred', 'deferred', 'deferred']],
    ['3xx', reply(354), ['deferred', 'unknown', 'unknown']],
  ] as [string, Reply | null, string[]][])('of %s follows from how far the mail was', (_, given, expected) => {
    expect(phases.map((phase) => verdicts(outcome(phase, given))[0])).toEqual(expected);
  });

  it('is each recipient’s own where the server refused them by name', () => {
    const refused: RecipientReply[] = [{ address: 'b@x.org', code: 550, text: '550 no such user' }];
    expect(verdicts(outcome('body_sent', reply(250), { refused }))).toEqual(['delivered', 'rejected']);
    expect(verdicts(outcome('body_sent', null, { refused }))).toEqual(['unknown', 'rejected']);
    expect(verdicts(outcome('envelope', reply(451), { refused }))).toEqual(['deferred', 'rejected']);
    const judged = judge(outcome('body_sent', reply(250), { refused }), trial());
    expect(judged).toMatchObject({ verdict: 'delivered', code: 250, lastError: '550 no such user' });
  });

  it('of an attempt is the best that came of it, unless somebody’s fate is unknown', () => {
    const refused: RecipientReply[] = [{ address: 'b@x.org', code: 451, text: '451 later' }];
    expect(judge(outcome('body_sent', reply(250), { refused }), trial()).verdict).toBe('delivered');
    expect(judge(outcome('body_sent', null, { refused }), trial()).verdict).toBe('unknown');
    expect(judge(outcome('envelope', reply(550), { refused }), trial()).verdict).toBe('deferred');
  });

  it('is told by the words of somebody who shares it', () => {
    const refused: RecipientReply[] = [{ address: 'a@x.org', code: 550, text: '550 no such user' }];
    const judged = judge(outcome('envelope', reply(421, '421 too many errors'), { refused }), trial());
    expect(judged).toMatchObject({ verdict: 'deferred', lastError: '421 too many errors' });
  });

  it('gives up after the time for that, but never after a single attempt', () => {
    const late = { nowMs: Date.parse('2026-11-30T12:00:00.000Z'), attempt: 30 };
    const firstAttemptMs = Date.parse('2026-11-24T12:00:00.000Z');
    expect(verdicts(outcome('envelope', reply(451)), { ...late, firstAttemptMs })).toEqual(['rejected', 'rejected']);
    expect(verdicts(outcome('envelope', reply(451)), late)).toEqual(['deferred', 'deferred']);
    expect(verdicts(outcome('body_sent', null), { ...late, firstAttemptMs })).toEqual(['unknown', 'unknown']);
  });

  it('for anything at all: never delivered without a 2xx to the final dot, never tried again once the final dot may be out', () => {
    const anyReply = fc.option(fc.record({ code: fc.integer({ min: 200, max: 599 }), text: fc.string() }), {
      nil: null,
    });
    const anyPhase = fc.constantFrom<SendPhase>('envelope', 'data_started', 'body_sent');
    fc.assert(
      fc.property(
        anyPhase,
        anyReply,
        fc.array(fc.integer({ min: 400, max: 599 }), { maxLength: 2 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (phase, given, codes, random) => {
          const refused = codes.map((code, at) => ({
            address: ['a@x.org', 'b@x.org'][at] ?? '',
            code,
            text: `${code}`,
          }));
          const { recipients } = judge(outcome(phase, given, { refused }), trial({ random }));
          expect(recipients.map(({ address }) => address)).toEqual(['a@x.org', 'b@x.org']);
          for (const { address, verdict, nextAttemptAt } of recipients) {
            const isRefused = refused.some((one) => one.address === address);
            if (verdict === 'delivered')
              expect([phase, given?.code ?? 0, isRefused]).toEqual([
                'body_sent',
                expect.toSatisfy((code: number) => code >= 200 && code < 300),
                false,
              ]);
            if (phase === 'body_sent' && !isRefused && (given === null || given.code < 400))
              expect(['delivered', 'unknown']).toContain(verdict);
            expect(nextAttemptAt !== null).toBe(verdict === 'deferred');
          }
        },
      ),
    );
  });
});

describe('a reply about the sender', () => {
  it.each([
    [530, '530 5.7.0 authentication required', 'auth'],
    [535, '535 5.7.8 bad credentials', 'auth'],
    [421, '421 4.7.0 try later', 'throttle'],
    [550, '550 5.4.5 Daily user sending quota exceeded', 'throttle'],
    [554, '554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException', 'throttle'],
    [450, '450 4.2.1 too many messages, slow down', 'throttle'],
    [432, '432 4.3.2 STOREDRV.ClientSubmit; concurrent connections limit', 'throttle'],
    [550, '550 5.4.5', 'throttle'],
    [421, '421 4.7.28 unusual rate', 'throttle'],
    [450, '450 4.7.28 unusual rate of mail', 'throttle'],
    [450, '450 4.7.1 Error: too much mail from 192.0.2.1', 'throttle'],
    [450, '450 4.7.1 Error: too many recipients from 192.0.2.1', 'throttle'],
    [452, '452 4.5.3 Error: too many recipients', null],
    [554, '554 5.7.1 Service unavailable; client host [95.4.5.10] blocked', null],
    [554, '554 5.4.5.10 is blocked', null],
    [451, '451 4.7.1 [185.4.7.28] greylisted', null],
    [451, '451 4.4.3.2 try later', null],
    [451, '451 4.7.1 greylisted', null],
    [452, '452 4.2.2 mailbox over quota', null],
    [550, '550 5.1.1 no such user', null],
    [552, '552 5.2.2 over quota', null],
    [250, '250 ok, sending limit not reached', null],
  ] as [number, string, string | null][])('%i %s puts off %s', (code, text, kind) => {
    expect(accountKind({ code, text })).toBe(kind);
    expect(troubleOf(outcome('envelope', { code, text }))?.kind ?? null).toBe(kind);
  });
});

describe('an IP address in a reply', () => {
  it('is no enhanced status, whatever its numbers are', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const telling = fc.constantFrom([4, 5], [5, 4, 5], [4, 7, 28], [4, 3, 2]);
    const address = fc
      .tuple(telling, fc.array(byte, { minLength: 4, maxLength: 4 }), fc.boolean())
      .map(([numbers, others, isAtEnd]) =>
        (isAtEnd ? [...others.slice(numbers.length), ...numbers] : [...numbers, ...others.slice(numbers.length)]).join(
          '.',
        ),
      );
    const shape = fc.constantFrom('5.7.1 [IP] is blocked', 'IP', 'IP is blocked', 'from IP: see IP', '4.7.1 x IP');
    const code = fc.constantFrom(450, 451, 550, 554);
    fc.assert(
      fc.property(code, shape, address, (given, words, ip) => {
        expect(accountKind({ code: given, text: `${given} ${words.replaceAll('IP', ip)}` })).toBeNull();
      }),
    );
  });
});

describe('a reply to one recipient', () => {
  const named = (address: string, code: number, text = `${code} words`): RecipientReply => ({ address, code, text });
  const wanted = named('b@x.org', 530, '530 5.7.1 Authentication required');

  it('that wants a login is his verdict where others were accepted, whatever becomes of them', () => {
    const served = outcome('body_sent', reply(250), { accepted: ['a@x.org'], refused: [wanted] });
    expect([verdicts(served), troubleOf(served)]).toEqual([['delivered', 'rejected'], null]);
    const unclear = outcome('body_sent', null, { accepted: ['a@x.org'], refused: [wanted] });
    expect([verdicts(unclear), troubleOf(unclear)]).toEqual([['unknown', 'rejected'], null]);
    const putOff = outcome('envelope', reply(451), { accepted: ['a@x.org'], refused: [wanted] });
    expect([verdicts(putOff), troubleOf(putOff)]).toEqual([['deferred', 'rejected'], null]);
  });

  it('is about the account where everybody got such a one, and only then', () => {
    const all = [named('a@x.org', 530), wanted];
    expect(troubleOf(outcome('envelope', reply(530), { refused: all }))?.kind).toBe('auth');
    const ours = named('a@x.org', 0, 'the server does not take international addresses (SMTPUTF8)');
    expect(troubleOf(outcome('envelope', reply(530), { refused: [wanted, ours] }))?.kind).toBe('auth');
    const mixed = outcome('envelope', wanted, { refused: [named('a@x.org', 550), wanted] });
    expect([verdicts(mixed), troubleOf(mixed)]).toEqual([['rejected', 'rejected'], null]);
  });

  it('never puts the account off when somebody else was accepted', () => {
    const codes = fc.array(fc.integer({ min: 400, max: 599 }), { minLength: 1, maxLength: 3 });
    const words = fc.constantFrom('no', 'rate limit exceeded', 'Daily user sending limit exceeded');
    const ended = fc.constantFrom(null, reply(250), reply(550), reply(451));
    fc.assert(
      fc.property(codes, words, ended, (refusals, text, given) => {
        const refused = refusals.map((code, at) => named(`${at}@x.org`, code, `${code} ${text}`));
        expect(troubleOf(outcome('body_sent', given, { accepted: ['a@x.org'], refused }))).toBeNull();
      }),
    );
  });
});

describe('a reply', () => {
  it('is read with its lines joined, cut, and free of control characters', () => {
    expect(parseReply('250-first\r\n250 second')).toEqual({ code: 250, text: '250 first second' });
    expect(parseReply('250-first\r\n550 second')).toEqual({ code: 550, text: '550 first second' });
    expect(parseReply('550-first\r\nsecond')).toEqual({ code: 550, text: '550 first second' });
    expect(parseReply('550')).toEqual({ code: 550, text: '550' });
    expect(parseReply(`451 ${'x'.repeat(5000)}`)?.text.length).toBe(1000);
    expect(parseReply('250 a\u0000\u001bb')).toEqual({ code: 250, text: '250 a  b' });
    for (const none of [undefined, '', 'hello', '999 no', '25', '2500 x']) expect(parseReply(none)).toBeNull();
  });
});
