/** Mail that breaks readers: the bombs of RELIABILITY and what real mailboxes hold besides. Each entry says what it is. */
export interface HostileMail {
  readonly what: string;
  readonly raw: Buffer;
}

const lines = (...parts: readonly string[]): Buffer => Buffer.from(parts.join('\r\n'), 'latin1');
const times = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join('');

export function hostileMails(): HostileMail[] {
  const multipart = (boundary: string): string => `Content-Type: multipart/mixed; boundary="${boundary}"`;
  return [
    { what: 'no header', raw: lines('just text, no header at all') },
    { what: 'no body', raw: lines('Subject: no body, no empty line') },
    { what: 'only line ends', raw: lines('', '', '') },
    { what: 'bare line feeds', raw: Buffer.from('Subject: bare\nFrom: a@b.c\n\nline\nline\n') },
    { what: 'bare carriage returns', raw: Buffer.from('Subject: bare\rFrom: a@b.c\r\rline\r') },
    {
      what: '8-bit headers without a charset',
      raw: lines('Subject: Gr\xfc\xdfe \xff\xfe', 'From: J\xf6rg <j@b.c>', '', '\x80\x81'),
    },
    {
      what: 'a byte of every value',
      raw: Buffer.concat([
        lines('Subject: bytes', '', ''),
        Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1)),
      ]),
    },
    { what: 'NUL in header and body', raw: lines('Subject: nul \0 here', '', 'nul \0 there', '') },
    { what: '10,000 parts', raw: lines(multipart('a'), '', `${times(10_000, () => '--a\r\n\r\nx\r\n')}--a--`) },
    {
      what: 'nested 2,000 deep',
      raw: lines(
        times(2000, (index) => `${multipart(`b${index}`)}\r\n\r\n--b${index}\r\n`),
        '',
        'deep',
      ),
    },
    {
      what: '500 messages in each other',
      raw: lines(
        times(500, () => 'Content-Type: message/rfc822\r\n\r\n'),
        'Subject: inner',
        '',
        'x',
      ),
    },
    {
      what: '100,000 recipients',
      raw: lines(`To: ${times(100_000, (index) => `u${index}@example.com,\r\n `)}last@example.com`, '', 'x'),
    },
    { what: '20,000 groups', raw: lines(`To: ${times(20_000, (index) => `g${index}: a@b.c;, `)}`, '', 'x') },
    { what: 'a header line of 5 MB', raw: lines(`Subject: ${'long '.repeat(1_000_000)}`, '', 'x') },
    {
      what: '200,000 header fields',
      raw: lines(
        times(200_000, (index) => `X-H${index}: v\r\n`),
        'x',
      ),
    },
    { what: '200,000 encoded-words', raw: lines(`Subject: ${times(200_000, () => '=?utf-8?Q?=C5=BC?= ')}`, '', 'x') },
    {
      what: 'broken encoded-words',
      raw: lines('Subject: =?x?B?????= =?utf-8?Q?=ZZ=?= =?utf-8?B?//8=?=', 'From: =?utf-8?Q?=00=0A?= <a@b.c>', '', 'x'),
    },
    {
      what: '50,000 pieces of a parameter',
      raw: lines(`Content-Type: text/plain;${times(50_000, (index) => `\r\n name*${index}=a;`)}`, '', 'x'),
    },
    { what: '200,000 HTML elements', raw: lines('Content-Type: text/html', '', '<div>'.repeat(200_000)) },
    {
      what: 'field names of JavaScript objects',
      raw: lines('__proto__: x', 'constructor: y', 'hasOwnProperty: z', 'Subject: proto', '', 'x'),
    },
    {
      what: '200,000 references',
      raw: lines(`References: ${'<'.repeat(200_000)}`, `In-Reply-To: ${'<a@b> '.repeat(20_000)}`, '', 'x'),
    },
    {
      what: 'script in every field',
      raw: lines('Subject: <script>alert(1)</script>', 'From: "<img src=x onerror=alert(1)>" <x@y.z>', '', '<script>'),
    },
    {
      what: 'terminal escapes and bidi',
      raw: Buffer.from('Subject: \u001b[31mred\u001b]0;title\u0007 \u202eevil\u2028\r\n\r\nx'),
    },
    { what: 'dates that are none', raw: lines('Date: Mon, 99 Foo 99999 99:99:99 +9999', 'Message-ID: <>', '', 'x') },
    {
      what: 'UTF-16 surrogates',
      raw: Buffer.from('Subject: =?utf-16?B?2ADYAA==?= \ud83d\udce7 =?utf-7?Q?+2AA-?=\r\n\r\nx'),
    },
  ];
}
