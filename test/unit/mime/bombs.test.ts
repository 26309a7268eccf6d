/** Mail made to hurt: bounded time and memory, well-formed results. The hostile mails of RELIABILITY, and worse. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLimits } from '../../../src/mime/read-limits.ts';
import { type ReadMessage, readMessage } from '../../../src/mime/read-message.ts';
import { hostileMails } from '../../support/hostile-mail.ts';

const mib = 1024 * 1024;
const times = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join('');
const multipart = 'Content-Type: multipart/mixed; boundary=a\r\n\r\n';
const utf8 = (text: string): Buffer => Buffer.from(text);

const bombs: readonly (readonly [what: string, raw: () => Buffer])[] = [
  ...hostileMails().map(({ what, raw }) => [what, () => raw] as const),
  ['200,000 parts', () => utf8(`${multipart}${times(200_000, () => '--a\r\n\r\nx\r\n')}--a--`)],
  ['5,000,000 lines that look like delimiters', () => utf8(`${multipart}--a\r\n\r\n${'--b\n'.repeat(5_000_000)}`)],
  ['a delimiter with a megabyte of white space', () => utf8(`${multipart}--a${' '.repeat(mib)}\r\n\r\nx`)],
  [
    'the same boundary at every depth',
    () => utf8(`${times(1000, () => `${multipart}--a\r\n`)}\r\nx\r\n${'--a--\r\n'.repeat(1000)}`),
  ],
  [
    '1,000 parts with headers of 8 KiB that no parser likes',
    () =>
      utf8(
        `${multipart}${times(1000, () => `--a\r\nContent-Type: text/plain; ${'x*0*=%41;'.repeat(900)}\r\n\r\ny\r\n`)}`,
      ),
  ],
  [
    '300 nested messages side by side with 1,000 addresses each',
    () =>
      utf8(
        `${multipart}${times(300, () => `--a\r\nContent-Type: message/rfc822\r\n\r\nFrom: ${'"a (b" <c@d>, '.repeat(1000)}\r\n\r\ny\r\n`)}`,
      ),
  ],
  [
    '60 MB of base64 text',
    () => utf8(`Content-Transfer-Encoding: base64\r\n\r\n${'QUJDREVGR0hJSktMTU5P'.repeat(3 * mib)}`),
  ],
  ['20 MB of padding', () => utf8(`Content-Transfer-Encoding: base64\r\n\r\n${'QQ==\r\n'.repeat(3_500_000)}`)],
  ['60 MB of equals signs', () => utf8(`Content-Transfer-Encoding: quoted-printable\r\n\r\n${'='.repeat(60 * mib)}`)],
  [
    'a file of 90 MB',
    () =>
      utf8(
        `${multipart}--a\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n${'QUJDREVGR0hJ\r\n'.repeat(6_700_000)}--a--`,
      ),
  ],
  ['10 MB of unclosed elements', () => utf8(`Content-Type: text/html\r\n\r\n${'<table><tr><td>'.repeat(700_000)}`)],
  ['10 MB of entities', () => utf8(`Content-Type: text/html\r\n\r\n${'&amp;&#x1F4CE;&bogus;'.repeat(500_000)}`)],
  ['10 MB of attributes', () => utf8(`Content-Type: text/html\r\n\r\n<a ${'b="&quot;c" '.repeat(800_000)}>`)],
  [
    'plain and HTML text that have nothing in common',
    () =>
      utf8(
        `Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n\r\n${times(70_000, (index) => `p${index} `)}\r\n--a\r\nContent-Type: text/html\r\n\r\n${times(70_000, (index) => `<p>h${index}</p>`)}\r\n--a--`,
      ),
  ],
  ['a word of 10 MB', () => utf8(`\r\n${'x'.repeat(10 * mib)}`)],
  ['3 MB of one Japanese word', () => utf8(`\r\n${'請'.repeat(mib)}`)],
  ['letters that are never a word', () => utf8(`\r\n${'ł ß ﬁ '.repeat(300_000)}`)],
  ['1 MB of combining marks', () => utf8(`\r\na${'\u0301'.repeat(mib / 2)}`)],
  [
    'flowed lines that never end',
    () => utf8(`Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n${'> > a \r\n'.repeat(700_000)}`),
  ],
  [
    'ISO-2022-JP escapes and nothing else',
    () => utf8(`Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n${'\u001b$B\u001b(B'.repeat(mib)}`),
  ],
];

/** Of CPU: other programs on the machine do not count. Half of what the watchdog of a thread allows. */
const cpuMsMax = 1000;
const heapBytesMax = 300 * mib;

function expectWellFormed(message: ReadMessage): void {
  const { text, html, preview, filenames, words, parts } = message;
  const columns = [
    text,
    html,
    preview,
    filenames,
    words,
    ...parts.flatMap(({ filename, contentType, cid }) => [filename, contentType, cid]),
  ];
  for (const column of columns) {
    if (column === null) continue;
    expect(column.isWellFormed()).toBe(true);
    expect(column.includes('\0')).toBe(false);
  }
  expect((text ?? '').length).toBeLessThanOrEqual(readLimits.textCharsMax);
  expect((html ?? '').length).toBeLessThanOrEqual(readLimits.htmlCharsMax * 2);
  expect(words.length).toBeLessThanOrEqual(readLimits.textCharsMax);
  expect(parts.length).toBeLessThanOrEqual(readLimits.partCountMax);
  expect(new Set(parts.map(({ part }) => part)).size).toBe(parts.length);
}

describe('a hostile mail', () => {
  it.each(bombs)('takes bounded time and memory: %s', (_what, make) => {
    const raw = make();
    const heapBefore = process.memoryUsage().heapUsed;
    const cpuBefore = process.cpuUsage();
    const message = readMessage(raw);
    const { user, system } = process.cpuUsage(cpuBefore);
    const heapBytes = process.memoryUsage().heapUsed - heapBefore;
    expectWellFormed(message);
    expect((user + system) / 1000).toBeLessThan(cpuMsMax);
    expect(heapBytes).toBeLessThan(heapBytesMax);
  });
  it('says which limits it met, and what was read before them stands', () => {
    const raw = utf8(
      `${multipart}--a\r\n\r\nfirst words\r\n${times(2000, () => '--a\r\nContent-Type: image/png\r\n\r\nx\r\n')}--a--`,
    );
    const { text, parts, met } = readMessage(raw);
    expect([text, parts.length, met]).toEqual(['first words', readLimits.partCountMax - 2, ['parts']]);
    expect(readMessage(utf8(`\r\n${'word '.repeat(200_000)}`)).met).toEqual(['text']);
    expect(readMessage(utf8('Subject: x\r\n\r\nshort')).met).toEqual([]);
  });
  it.each([
    ['recipients', `To: ${times(501, (index) => `u${index}@x.org, `)}`, 'header'],
    ['a subject', `Subject: ${'x'.repeat(20_000)}`, 'header'],
    ['what a part is', `Content-Type: application/pdf; name="${'x'.repeat(9000)}"`, 'header'],
    [
      'words that others run into',
      `Content-Type: text/plain; format=flowed\r\n\r\n${'>'.repeat(900)} a \r\n`.concat(
        `${'>'.repeat(900)} b \r\n`.repeat(5000),
      ),
      'text',
    ],
    [
      'characters of many bytes each',
      `Content-Type: text/plain; charset=utf-7\r\n\r\n${'+AGE-'.repeat(600_000)}`,
      'text',
    ],
  ])('says so where there are more %s than it reads', (_, text, limit) => {
    expect(readMessage(utf8(`${text}\r\n\r\nbody`)).met).toEqual([limit]);
  });
  it('says nothing of 500 recipients and a subject of 16 KiB', () => {
    const header = `To: ${times(500, (index) => `u${index}@x.org, `)}\r\nSubject: ${'x'.repeat(16_000)}`;
    expect(readMessage(utf8(`${header}\r\n\r\nbody`)).met).toEqual([]);
  });
  it('is never more than its reader can take: any bytes, in any structure', () => {
    const piece = fc.constantFrom(
      'Content-Type: multipart/alternative; boundary="b"\r\n',
      'Content-Type: text/html; charset=',
      'utf-16',
      'x-none',
      '\r\n',
      'Content-Transfer-Encoding: base64\r\n',
      'Content-Transfer-Encoding: quoted-printable\r\n',
      '--b\r\n',
      '--b--\r\n',
      '\r\n\r\n',
      'Content-Type: message/rfc822\r\n',
      "Content-Disposition: attachment; filename*=utf-8''%ff%00",
      '=?utf-8?B?/w==?=',
      '<p>&#0;',
      'format=flowed;',
      '\0',
      '\ud800',
      'ł',
      '請',
      '=3D=',
      'QUJD==',
      ': ',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
        expectWellFormed(readMessage(Buffer.from(pieces.join('')), pieces.at(0) ?? ''));
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => expectWellFormed(readMessage(Buffer.from(bytes)))),
    );
  });
});
