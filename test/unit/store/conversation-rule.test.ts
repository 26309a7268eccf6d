import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseSubject, type ConversationHeader } from '../../../src/store/conversation-rule.ts';
import { conversationsOf } from '../../support/conversations.ts';

const me = 'anna@example.com';
let clock = 0;
const mail = (given: Partial<ConversationHeader> & { id?: string; re?: string }): ConversationHeader => {
  clock += 1;
  const { id, re, ...more } = given;
  return {
    messageIdHeader: id === undefined ? null : `<${id}>`,
    inReplyTo: null,
    references:
      re === undefined
        ? null
        : re
            .split(' ')
            .map((one) => `<${one}>`)
            .join(' '),
    subject: 'Offer 2026/118',
    from: ['bob@example.org'],
    to: [me],
    sentAt: new Date(Date.UTC(2026, 10, 1) + clock * 60_000).toISOString(),
    ...more,
  };
};
const groups = (...mails: readonly ConversationHeader[]): number[][] => conversationsOf(mails, me);
const eve = { from: ['eve@evil.example'] };

describe('a conversation', () => {
  it('is what answers each other, by References or by In-Reply-To alone', () => {
    expect(
      groups(
        mail({ id: 'a' }),
        mail({ id: 'b', re: 'a', from: [me], to: ['bob@example.org'] }),
        mail({ id: 'c', inReplyTo: '<b>', subject: 'Re: Offer 2026/118' }),
        mail({ id: 'other', subject: 'Something else' }),
      ),
    ).toEqual([[0, 1, 2], [3]]);
  });
  it('holds together where a message between, or the first one, is missing', () => {
    const replies = [mail({ id: 'c', re: 'a b' }), mail({ id: 'd', re: 'a b c', from: [me], to: ['bob@example.org'] })];
    expect(groups(...replies)).toEqual([[0, 1]]);
    expect(groups(mail({ id: 'a' }), ...replies)).toEqual([[0, 1, 2]]);
  });
  it('goes on under a new subject when it goes on with the same person', () => {
    const first = mail({ id: 'a' });
    expect(groups(first, mail({ id: 'b', re: 'a', subject: 'Lunch?', from: [me], to: ['bob@example.org'] }))).toEqual([
      [0, 1],
    ]);
    expect(groups(first, mail({ id: 'c', re: 'a', subject: 'Lunch?' }))).toEqual([[0, 1]]);
  });
  it('has copies of a message in it, wherever they lie', () => {
    expect(groups(mail({ id: 'a' }), mail({ id: 'a', subject: 'Re: Offer 2026/118' }))).toEqual([[0, 1]]);
  });
  it('takes a reply without references for the answer to what its addressee wrote in those weeks', () => {
    const original = mail({ subject: 'Delivery of 12 chairs' });
    const reply = mail({ subject: 'AW: Delivery of 12 chairs', from: [me], to: ['bob@example.org'] });
    expect(groups(original, reply)).toEqual([[0, 1]]);
    expect(groups(original, { ...reply, sentAt: '2026-12-24T12:00:00.000Z' })).toEqual([[0], [1]]);
    expect(groups(original, { ...reply, to: ['carol@example.org'] })).toEqual([[0], [1]]);
  });
  it('is not made of equal subjects: newsletters stay apart, and so do short words', () => {
    expect(groups(mail({ subject: 'Weekly newsletter' }), mail({ subject: 'Weekly newsletter' }))).toEqual([[0], [1]]);
    expect(groups(mail({ subject: 'Hi' }), mail({ subject: 'Re: Hi', from: [me], to: ['bob@example.org'] }))).toEqual([
      [0],
      [1],
    ]);
  });
});

describe('a forged header', () => {
  const a = [
    mail({ id: 'a1', subject: 'Offer' }),
    mail({ id: 'a2', re: 'a1', subject: 'Re: Offer', from: [me], to: ['bob@example.org'] }),
  ];
  const b = [
    mail({ id: 'b1', subject: 'Contract', from: ['carol@example.org'] }),
    mail({ id: 'b2', re: 'b1', subject: 'Re: Contract', from: [me], to: ['carol@example.org'] }),
  ];
  it('joins no two conversations, whatever ids it names', () => {
    for (const re of ['a1 b1', 'b2 a1', 'x a1 b1 a2 b2']) {
      for (const subject of ['Re: Offer', 'Re: Contract', 'Buy']) {
        const forged = mail({
          id: 'evil',
          re,
          inReplyTo: '<b1>',
          subject,
          ...eve,
          to: [me, 'bob@example.org', 'carol@example.org'],
        });
        const found = groups(...a, ...b, forged).map((group) => group.filter((index) => index < 4));
        expect(found.filter((group) => group.length > 0)).toEqual([
          [0, 1],
          [2, 3],
        ]);
      }
    }
  });
  it('gets a stranger in nowhere without the subject or the author', () => {
    expect(groups(...a, mail({ id: 'evil', re: 'a1', subject: 'Buy', ...eve }))).toEqual([[0, 1], [2]]);
  });
  it('of a stranger who answers a subject joins nothing', () => {
    const letters = [
      mail({ subject: 'Delivery of 12 chairs' }),
      mail({ subject: 'Delivery of 12 chairs', from: ['carol@example.org'] }),
    ];
    const forged = mail({
      subject: 'Re: Delivery of 12 chairs',
      ...eve,
      to: ['bob@example.org', 'carol@example.org', me],
    });
    expect(groups(...letters, forged)).toEqual([[0], [1], [2]]);
  });
  it('that steals a Message-ID takes nothing with it', () => {
    const stolen = mail({ id: 'b1', re: 'a1', subject: 'Re: Offer', ...eve, to: [me, 'carol@example.org'] });
    expect(groups(...a, ...b, stolen)).toEqual([
      [0, 1, 4],
      [2, 3],
    ]);
  });
  it('joins no two conversations at all: one message more never ties messages that hold no key of it', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd');
    const honest = fc
      .record({ id, subject: fc.constantFrom('One thing', 'Another thing') })
      .map((given) => mail(given));
    const ids = fc.array(id, { minLength: 1, maxLength: 4 }).map((list) => list.join(' '));
    fc.assert(
      fc.property(fc.array(honest, { maxLength: 6 }), ids, (mails, re) => {
        const before = groups(...mails);
        const after = groups(...mails, mail({ id: 'new', re, subject: 'One thing', ...eve }));
        const joined = after.filter(
          (group) => before.filter((old) => old.every((index) => group.includes(index))).length > 1,
        );
        expect(joined).toEqual([]);
      }),
    );
  });
});

describe('conversations', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const person = fc.constantFrom(me, 'bob@example.org', 'carol@example.org', 'ALIAS@example.com', '');
  const anyMail: fc.Arbitrary<ConversationHeader> = fc.record({
    messageIdHeader: fc.oneof(
      id.map((one) => `<${one}>`),
      fc.constantFrom(null, '<>', 'junk'),
    ),
    inReplyTo: fc.oneof(
      id.map((one) => `<${one}>`),
      fc.constant(null),
    ),
    references: fc.oneof(
      fc.array(id).map((all) => all.map((one) => `<${one}>`).join(' ')),
      fc.constant(null),
    ),
    subject: fc.constantFrom(
      null,
      '',
      'Delivery of 12 chairs',
      'Re: delivery of 12 chairs',
      'AW: [List] Re: Delivery of 12 chairs',
      'Hi',
    ),
    from: fc.array(person, { maxLength: 2 }),
    to: fc.array(person, { maxLength: 3 }),
    sentAt: fc.constantFrom(null, '2026-11-01T00:00:00.000Z', '2026-11-06T00:00:00.000Z', '2026-12-01T00:00:00.000Z'),
  });
  it('are the same in whatever order the mail arrives', () => {
    const shuffled = fc.array(anyMail, { maxLength: 10 }).chain((mails) =>
      fc.tuple(
        fc.constant(mails),
        fc.shuffledSubarray(
          mails.map((_, index) => index),
          { minLength: mails.length },
        ),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([mails, order]) => {
        const arrived = order.map((index) => mails[index] as ConversationHeader);
        const found = conversationsOf(arrived, me).map((group) =>
          group.map((index) => order[index] ?? 0).sort((a, b) => a - b),
        );
        expect(found.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))).toEqual(conversationsOf(mails, me));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the subject of a conversation', () => {
  it.each([
    ['Re: Offer', 'offer', true],
    ['RE: AW: Fwd: Offer', 'offer', true],
    ['Odp: PD:  Offer', 'offer', true],
    ['Re[2]: [list] Re: Offer', 'offer', true],
    ['回复：合同', '合同', true],
    ['Re： Offer', 'offer', true],
    ['Fwd: Offer', 'offer', false],
    ['Regarding: Offer', 'regarding: offer', false],
    ['Re:', '', true],
    ['[tag]', '[tag]', false],
    ['Offer (fwd)', 'offer', false],
    ['', '', false],
  ])('of %j', (subject, base, isReply) => expect(baseSubject(subject)).toEqual({ base, isReply }));
  it('is the same for a reply to a reply, and takes linear time', () => {
    fc.assert(
      fc.property(fc.string(), (subject) => {
        const { base } = baseSubject(subject);
        if (base.length < 300) expect(baseSubject(`Re: ${base}`).base).toBe(baseSubject(base).base);
      }),
    );
    expect(baseSubject('re: '.repeat(100_000)).base.length).toBeLessThan(400);
  });
});
