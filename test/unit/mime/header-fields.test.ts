import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHeaderFields } from '../../../src/mime/header-fields.ts';

const mail = (...lines: string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\nbody`, 'latin1');
const subjectOf = (raw: Buffer): string | null => readHeaderFields(raw).subject;
const encoded = (charset: string, bytes: string | Buffer): string =>
  `=?${charset}?B?${Buffer.from(bytes).toString('base64')}?=`;

describe('header fields', () => {
  it('are read, unfolded and trimmed', () => {
    const fields = readHeaderFields(
      mail(
        'Message-ID: <a@b>',
        'In-Reply-To: <c@d>',
        'References: <e@f>',
        '\t<c@d>',
        'Subject: one',
        '  two',
        'From: "Anna, K." <anna@example.com>',
        'To: x@y.z, Bob <b@y.z>',
        'Date: Mon, 23 Nov 2026 06:17:00 +0100',
      ),
    );
    expect(fields).toEqual({
      messageIdHeader: '<a@b>',
      inReplyTo: '<c@d>',
      references: '<e@f> <c@d>',
      subject: 'one two',
      from: [{ name: 'Anna, K.', address: 'anna@example.com' }],
      to: [
        { name: '', address: 'x@y.z' },
        { name: 'Bob', address: 'b@y.z' },
      ],
      cc: [],
      sentAt: '2026-11-23T05:17:00.000Z',
    });
  });

  it.each([
    ['UTF-8', encoded('UTF-8', 'zażółć'), 'zażółć'],
    ['ISO-2022-JP', '=?ISO-2022-JP?B?GyRCRnxLXDhsGyhC?=', '日本語'],
    ['KOI8-R', encoded('KOI8-R', Buffer.from([0xf0, 0xd2, 0xc9])), 'При'],
    ['windows-1250', encoded('windows-1250', Buffer.from([0xbf, 0xf3, 0xb3, 0xe6])), 'żółć'],
    ['GB18030', encoded('GB18030', Buffer.from([0xd6, 0xd0])), '中'],
    [
      'a character cut in two',
      `=?UTF-8?B?${Buffer.from([0xc5]).toString('base64')}?= =?UTF-8?B?${Buffer.from([0xbc]).toString('base64')}?=`,
      'ż',
    ],
    ['quoted-printable', '=?iso-8859-1?Q?Gr=FC=DFe?=', 'Grüße'],
    ['UTF-7', '=?utf-7?Q?Gr+APwA3w-e_aus?= =?UNICODE-1-1-UTF-7?B?IE0rQVB3LW5jaGVu?=', 'Grüße aus München'],
    ['unknown-8bit (RFC 1428) and UTF-8', encoded('unknown-8bit', 'Größe'), 'Größe'],
    ['unknown-8bit and not UTF-8', '=?unknown-8bit?Q?Gr=F6=DFe?=', 'Größe'],
    ['a charset that nobody knows, with a language', '=?x-none*de?q?Gr=F6=DFe?= 1', 'Größe 1'],
  ])('are decoded from %s', (_, word, text) => {
    expect(subjectOf(mail(`Subject: ${word}`))).toBe(text);
  });

  it('in raw 8-bit bytes are UTF-8 where they can be, else what the mail says, else windows-1252', () => {
    expect(subjectOf(Buffer.from('Subject: ż\r\n\r\n'))).toBe('ż');
    expect(subjectOf(mail('Subject: \xbf', 'Content-Type: text/plain; charset=iso-8859-2'))).toBe('ż');
    expect(subjectOf(mail('Subject: Gr\xfc\xdfe'))).toBe('Grüße');
    expect(subjectOf(mail('Subject: Gr\xfc\xdfe', 'Content-Type: text/plain; charset=no-such-thing'))).toBe('Grüße');
  });

  it('flatten address groups', () => {
    expect(readHeaderFields(mail('To: friends: a@b.c, d@e.f;, g@h.i')).to.map((to) => to.address)).toEqual([
      'a@b.c',
      'd@e.f',
      'g@h.i',
    ]);
  });

  it('that name recipients count together, of others the first', () => {
    const twice = ['To: a@b.c', 'Cc: "K, L" <k@b.c>,', 'Subject: one', 'to: Bob <d@b.c>', 'CC: m@b.c', 'Subject: two'];
    const { to, cc, subject } = readHeaderFields(mail(...twice, 'From: x@b.c', 'From: y@b.c'));
    expect(to.map(({ address }) => address)).toEqual(['a@b.c', 'd@b.c']);
    expect(cc.map(({ address }) => address)).toEqual(['k@b.c', 'm@b.c']);
    expect(subject).toBe('one');
  });

  it('of one plain mailbox read the same as in a list', () => {
    const name = fc.string({
      unit: fc.constantFrom('a', 'Z', '9', 'ż', ' ', '.', "'", '"', '=', '?', '_', '-', '<', '@', ',', '(', '\\', '\t'),
      maxLength: 12,
    });
    const address = fc.string({ unit: fc.constantFrom('a', 'z', '9', '.', '+', '-', '_', '@', ' '), maxLength: 10 });
    fc.assert(
      fc.property(name, address, fc.constantFrom('', '"'), (text, at, quote) => {
        const value = `${quote}${text}${quote} <${at}>`;
        const alone = readHeaderFields(mail(`From: ${value}`)).from;
        const inList = readHeaderFields(mail(`From: ${value}, last@example.com`)).from;
        if (/[,;:()"\\<>@]/.test(text) || !/^[\w.+-]+@[\w.-]+$/.test(at)) return;
        expect(alone).toEqual(inList.slice(0, -1));
      }),
      { numRuns: 2000 },
    );
    expect(readHeaderFields(mail('From: "Kowalska, Anna" <anna@example.com>')).from).toEqual([
      { name: 'Kowalska, Anna', address: 'anna@example.com' },
    ]);
  });

  it.each([
    ['23 Nov 26 05:17 GMT', '2026-11-23T05:17:00.000Z'],
    ['Mon, 23 Nov 2026 05:17:01 EST', '2026-11-23T10:17:01.000Z'],
    ['Mon, 23 Nov 2026 05:17:01 CET', '2026-11-23T04:17:01.000Z'],
    ['Mon Aug  3 05:17:01 CEST 2026', '2026-08-03T03:17:01.000Z'],
    ['Mon, 23 Nov 2026 05:17:01 XYZ', '2026-11-23T05:17:01.000Z'],
    ['Mon, 23 Nov 2026 05:17:01 -0000 (comment)', '2026-11-23T05:17:01.000Z'],
    ['Mon, 23 Nov 2026 06:17:00 +01:00', '2026-11-23T05:17:00.000Z'],
    ['Mon, 23 Nov 2026 06:17:00 GMT+0100', '2026-11-23T05:17:00.000Z'],
    ['Mon, 23 Nov 2026 (a comment) 05:17 -0000', '2026-11-23T05:17:00.000Z'],
    ['Mon Nov 23 05:17:01 2026', '2026-11-23T05:17:01.000Z'],
    ['Mon Nov  3 05:17:01 EST 2026', '2026-11-03T10:17:01.000Z'],
    ['Mon Nov 23 2026 06:17:00 GMT+0100 (Central European Standard Time)', '2026-11-23T05:17:00.000Z'],
    ['2026-11-23T06:17:00.123+01:00', '2026-11-23T05:17:00.000Z'],
    ['2026-11-23 05:17:00', '2026-11-23T05:17:00.000Z'],
    ['Monday, November 23, 2026 5:17 PM', null],
    ['2026-13-23T06:17:00Z', null],
    ['11/23/2026 05:17', null],
    ['yesterday', null],
    ['32 Foo 2026 05:17:00 +0000', null],
  ])('read the date %j as %j', (date, instant) => {
    expect(readHeaderFields(mail(`Date: ${date}`)).sentAt).toBe(instant);
  });

  it('are storable text, and never an exception, for any bytes', () => {
    const line = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('Subject: =?x?B?????=', 'From: <<<>>>', 'To: :;,:;', 'Date: 99', '=?utf-8?Q?=00=ff?='),
    );
    const names = fc.constantFrom('Subject', 'From', 'To', 'Cc', 'Date', 'Message-ID', 'References', '');
    const field = fc.tuple(names, line).map(([name, value]) => `${name}: ${value}`);
    fc.assert(
      fc.property(
        fc.array(field, { maxLength: 6 }),
        fc.constantFrom('\r\n', '\n', '\r'),
        fc.boolean(),
        (lines, eol, isUtf8) => {
          const fields = readHeaderFields(Buffer.from(lines.join(eol), isUtf8 ? 'utf8' : 'latin1'));
          const text = JSON.stringify(fields);
          expect(text).not.toContain('\\u0000');
          expect(text.isWellFormed()).toBe(true);
          expect(fields.sentAt ?? '2026-11-23T05:17:00.000Z').toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        },
      ),
    );
  });

  it.each([
    [
      'a header line of 5 MB',
      Buffer.concat([Buffer.from('Subject: '), Buffer.alloc(5_000_000, 'a'), Buffer.from('\r\n\r\n')]),
    ],
    [
      '100,000 recipients',
      Buffer.from(`To: ${Array.from({ length: 100_000 }, (_, index) => `u${index}@example.com`).join(', ')}\r\n\r\n`),
    ],
    ['a date of 1 MB', Buffer.from(`Date: ${'1 Jan ('.repeat(150_000)}\r\n\r\n`)],
    ['200,000 To fields', Buffer.from('To: a@b.c\r\n'.repeat(200_000))],
    ['200,000 encoded-words', Buffer.from(`Subject: ${'=?utf-8?Q?a?= '.repeat(200_000)}\r\n\r\n`)],
    ['1 MB of folding', Buffer.from(`Subject: a${'\r\n b'.repeat(250_000)}\r\n\r\n`)],
  ])('are bounded: %s is read in less than a second', (_, raw) => {
    const startedMs = performance.now();
    readHeaderFields(raw);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});
