import fc from 'fast-check';
import libmime from 'libmime';
import { describe, expect, it } from 'vitest';
import { readHeaderFields } from '../../../src/mime/header-fields.ts';
import type { LoadedAttachment } from '../../../src/outbox/attachments.ts';
import { compose } from '../../../src/outbox/compose.ts';
import type { ComposeInput } from '../../../src/outbox/compose-input.ts';
import type { OutboxColumns } from '../../../src/store/outbox-entry.ts';

const columns = (more: Partial<OutboxColumns> = {}): OutboxColumns => ({
  smtpFrom: null,
  recipients: null,
  fromAddress: null,
  toAddresses: 'bob@example.com',
  ccAddresses: null,
  bccAddresses: null,
  replyTo: null,
  inReplyToId: null,
  raw: null,
  subject: 'Hello',
  bodyText: 'A line.\n',
  bodyHtml: null,
  headers: null,
  attachments: null,
  messageIdHeader: null,
  ...more,
});
const input = (more: Partial<OutboxColumns> = {}, rest: Partial<ComposeInput> = {}): ComposeInput => ({
  columns: columns(more),
  account: { email: 'anna@example.com', name: 'Anna' },
  id: 'c89b43a1-4c79-4013-9a28-bc82a3d7d292',
  date: new Date('2026-11-24T12:00:00.000Z'),
  answered: null,
  attachments: [],
  bytesMax: 1_000_000,
  ...rest,
});
const composed = (more: Partial<OutboxColumns> = {}, rest: Partial<ComposeInput> = {}) => {
  const { raw, ...others } = compose(input(more, rest));
  return { ...others, raw: Buffer.from(raw), text: Buffer.from(raw).toString('latin1') };
};
const refusal = (more: Partial<OutboxColumns>): string => {
  try {
    compose(input(more));
  } catch (error) {
    expect(error).toMatchObject({ code: 'outbox_invalid' });
    return error instanceof Error && 'detail' in error ? String(error.detail) : '';
  }
  return 'nothing was refused';
};

interface Part {
  readonly head: string;
  readonly bytes: Buffer;
  readonly parts: Part[];
}

/** A reader of the tests' own: the tree, decoded. */
function parse(raw: Buffer): Part {
  const end = raw.indexOf('\r\n\r\n');
  const head = raw.toString('latin1', 0, end).replace(/\r\n[ \t]+/g, ' ');
  const body = raw.subarray(end + 4);
  const boundary = /^Content-Type: multipart\/.*boundary="?([^";]+)"?/im.exec(head)?.[1];
  if (boundary !== undefined) {
    const pieces = body.toString('latin1').split(`--${boundary}`).slice(1, -1);
    return { head, bytes: body, parts: pieces.map((piece) => parse(Buffer.from(piece.slice(2, -2), 'latin1'))) };
  }
  const encoding = /^Content-Transfer-Encoding: (.*)$/im.exec(head)?.[1];
  const text = body.toString('latin1');
  if (encoding === 'base64') return { head, bytes: Buffer.from(text, 'base64'), parts: [] };
  if (encoding !== 'quoted-printable') return { head, bytes: body, parts: [] };
  const unwrapped = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return { head, bytes: Buffer.from(unwrapped, 'latin1'), parts: [] };
}
const shape = ({ head, parts }: Part): unknown => {
  const type = /^Content-Type: ([^;\s]+)/im.exec(head)?.[1];
  return parts.length === 0 ? type : [type, ...parts.map(shape)];
};
const crlf = (text: string): string => text.replace(/\r\n|\r|\n/g, '\r\n').replace(/(?<!\r\n)$/, '\r\n');

const attachment = (more: Partial<LoadedAttachment> = {}): LoadedAttachment => ({
  bytes: Buffer.from([0, 1, 2, 255]),
  filename: 'a.bin',
  contentType: null,
  cid: null,
  disposition: null,
  ...more,
});

describe('a mail made of columns', () => {
  it('is the same bytes for the same input, with its own id in Message-ID and header', () => {
    const one = composed();
    expect(composed().raw.equals(one.raw)).toBe(true);
    expect(one).toMatchObject({
      messageIdHeader: '<c89b43a1-4c79-4013-9a28-bc82a3d7d292@example.com>',
      smtpFrom: 'anna@example.com',
      recipients: ['bob@example.com'],
    });
    expect(one.text).toBe(
      [
        'X-Backproc-Id: c89b43a1-4c79-4013-9a28-bc82a3d7d292',
        'From: Anna <anna@example.com>',
        'To: bob@example.com',
        'Subject: Hello',
        'Message-ID: <c89b43a1-4c79-4013-9a28-bc82a3d7d292@example.com>',
        'Date: Tue, 24 Nov 2026 12:00:00 +0000',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 7bit',
        '',
        'A line.',
        '',
      ].join('\r\n'),
    );
  });

  it('goes to Bcc recipients without a word of them in it', () => {
    const mail = composed({ bccAddresses: 'secret@example.com', ccAddresses: 'Carl <carl@example.com>' });
    expect(mail.recipients).toEqual(['bob@example.com', 'carl@example.com', 'secret@example.com']);
    expect(mail.text).not.toMatch(/secret|bcc/i);
  });

  it('goes to whom recipients names, whatever the header fields say', () => {
    expect(composed({ recipients: '["only@example.com"]' }).recipients).toEqual(['only@example.com']);
  });

  it('has the smallest tree that holds it', () => {
    const trees: [Partial<OutboxColumns>, LoadedAttachment[], unknown][] = [
      [{}, [], 'text/plain'],
      [{ bodyHtml: '<p>', bodyText: null }, [], 'text/html'],
      [{ bodyHtml: '<p>' }, [], ['multipart/alternative', 'text/plain', 'text/html']],
      [{}, [attachment()], ['multipart/mixed', 'text/plain', 'application/octet-stream']],
      [
        { bodyHtml: '<img src="cid:x@y">' },
        [attachment({ cid: 'x@y', filename: 'a.png' }), attachment({ filename: 'b.pdf' })],
        [
          'multipart/mixed',
          ['multipart/alternative', 'text/plain', ['multipart/related', 'text/html', 'image/png']],
          'application/pdf',
        ],
      ],
      [{}, [attachment({ cid: 'x@y', filename: 'a.png' })], ['multipart/mixed', 'text/plain', 'image/png']],
    ];
    for (const [more, attachments, tree] of trees)
      expect(shape(parse(composed(more, { attachments }).raw))).toEqual(tree);
  });

  it('carries any text and any bytes unharmed, in lines that every server passes on', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.stringMatching(/^[a-z \n\r.=]{0,2000}$/),
    );
    fc.assert(
      fc.property(text, text, fc.uint8Array({ maxLength: 500 }), (bodyText, bodyHtml, bytes) => {
        fc.pre(!`${bodyText}${bodyHtml}`.includes('\0'));
        const mail = composed({ bodyText, bodyHtml }, { attachments: [attachment({ bytes: Buffer.from(bytes) })] });
        for (const line of mail.text.split('\r\n')) {
          expect(line.length).toBeLessThanOrEqual(998);
          expect(line).not.toMatch(/[\r\n]/);
        }
        const [alternative, file] = parse(mail.raw).parts;
        const [plain, html] = alternative?.parts ?? [];
        expect(plain?.bytes.toString('utf8')).toBe(crlf(bodyText.toWellFormed()));
        expect(html?.bytes.toString('utf8')).toBe(crlf(bodyHtml.toWellFormed()));
        expect(file?.bytes.equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });

  it('says any subject and any name so that it is read as it was meant, in lines of at most 78 characters', () => {
    const word = fc
      .string({ unit: 'grapheme', maxLength: 120 })
      .filter((text) => !/[\p{C}\u2028\u2029]/u.test(text) && text === text.trim() && !/\s\s|=\?|[^\S ]/.test(text));
    fc.assert(
      fc.property(word, word, (subject, name) => {
        const to = JSON.stringify([
          { name, address: 'bob@example.com' },
          { name: 'Carl', address: 'carl@example.com' },
        ]);
        const mail = composed({ subject, toAddresses: to });
        const head = mail.text.slice(0, mail.text.indexOf('\r\n\r\n'));
        for (const line of head.split('\r\n'))
          expect(line.length).toBeLessThanOrEqual(name.length > 40 || /\S{60}/.test(subject) ? 200 : 78);
        const fields = readHeaderFields(mail.raw);
        expect(fields.subject ?? '').toBe(subject);
        expect(fields.to).toEqual([
          { name, address: 'bob@example.com' },
          { name: 'Carl', address: 'carl@example.com' },
        ]);
      }),
    );
  });

  it('names files in any script', () => {
    const mail = composed({}, { attachments: [attachment({ filename: 'Übersicht „neu“.pdf' })] });
    const head = parse(mail.raw).parts[1]?.head ?? '';
    expect(head).toMatch(/^Content-Disposition: attachment;/m);
    const params = libmime.parseHeaderValue(/^Content-Disposition: (.*)$/m.exec(head)?.[1] ?? '').params;
    expect(params.filename).toBe('Übersicht „neu“.pdf');
  });

  it('encloses a mail as a mail, not as base64', () => {
    const inner = Buffer.from('Subject: inner\n\nText\n');
    const mail = composed(
      {},
      { attachments: [attachment({ bytes: inner, contentType: 'message/rfc822', filename: 'm.eml' })] },
    );
    const part = parse(mail.raw).parts[1];
    expect(part?.head).toContain('Content-Transfer-Encoding: 7bit');
    expect(part?.bytes.toString()).toBe('Subject: inner\r\n\r\nText\r\n');
  });

  it('keeps an application’s header fields as it spelt them', () => {
    const mail = composed({
      headers: '{"List-Unsubscribe":"<https://example.com/u>","X-iD":["1","zwölf"],"Auto-Submitted":"auto-generated"}',
    });
    expect(mail.text).toContain('List-Unsubscribe: <https://example.com/u>\r\n');
    expect(mail.text).toContain('X-iD: 1\r\nX-iD: =?UTF-8?B?');
  });

  it.each([
    [{ subject: 'Hi\r\nBcc: eve@evil.org' }, 'subject'],
    [{ subject: 'Hi\nthere' }, 'subject'],
    [{ headers: '{"X-A":"b\\r\\nBcc: eve@evil.org"}' }, 'headers'],
    [{ headers: '{"X-A\\r\\nBcc":"eve@evil.org"}' }, 'headers'],
    [{ headers: '{"Bcc":"eve@evil.org"}' }, 'headers'],
    [{ headers: '{"bcc ":"eve@evil.org"}' }, 'headers'],
    [{ headers: '{"From":"eve@evil.org"}' }, 'headers'],
    [{ headers: '{"Content-Type":"text/html"}' }, 'headers'],
    [{ headers: '{"X A":"b"}' }, 'headers'],
    [{ headers: '{"":"b"}' }, 'headers'],
    [{ headers: '{"X-A":{}}' }, 'headers'],
    [{ headers: 'X-A: b' }, 'headers'],
    [{ toAddresses: 'bob@example.com\r\nBcc: eve@evil.org' }, 'to_addresses'],
    [{ replyTo: '[{"name":"x\\r\\nBcc: y","address":"a@x.org"}]' }, 'reply_to'],
    [{ fromAddress: 'a@x.org, b@x.org' }, 'from_address'],
    [{ smtpFrom: 'a@x.org> SIZE=1' }, 'smtp_from'],
    [{ messageIdHeader: '<a@b>\r\nBcc: eve@evil.org' }, 'message_id_header'],
    [{ messageIdHeader: 'no brackets' }, 'message_id_header'],
    [{ toAddresses: null }, 'recipients'],
    [{ bodyText: null }, 'body_text'],
    [{ subject: null }, 'subject'],
    [{ bodyText: 'a\0b' }, 'body_text'],
    [{ bodyText: 'x'.repeat(2_000_000) }, 'raw'],
  ] as [Partial<OutboxColumns>, string][])('with %j is refused, naming the column', (more, column) => {
    expect(refusal(more)).toMatch(new RegExp(`^${column}: `));
  });

  it('to another script’s local part has it in the header as it is', () => {
    const mail = composed({ toAddresses: 'Jörg <jörg@exämple.de>' });
    expect(mail.raw.toString('utf8')).toContain('<jörg@xn--exmple-cua.de>');
    expect(mail.recipients).toEqual(['jörg@xn--exmple-cua.de']);
  });
});

const rawMail = (text: string, more: Partial<OutboxColumns> = {}) =>
  composed({ raw: Buffer.from(text, 'utf8'), toAddresses: null, subject: null, bodyText: null, ...more });

describe('a whole mail', () => {
  it('is sent byte for byte, with what every entry has on top, and without Bcc', () => {
    const body =
      'Subject: x\r\nFrom: anna@example.com\r\nTo: Bob <bob@example.com>\r\nBcc: secret@example.com,\r\n more@example.com\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\nX-Odd:  spaced\t\r\n\r\n.body\r\n';
    const mail = rawMail(body);
    expect(mail.recipients).toEqual(['bob@example.com', 'secret@example.com', 'more@example.com']);
    expect(mail.text).toBe(
      `X-Backproc-Id: c89b43a1-4c79-4013-9a28-bc82a3d7d292\r\nMessage-ID: ${mail.messageIdHeader}\r\n${body.replace(/Bcc:[\s\S]*?(?=Date)/, '')}`,
    );
  });
  it('keeps its Message-ID, gets CRLF, a Date where there is none, and may be text', () => {
    const mail = composed({ raw: 'From: a@x.org\nTo: b@x.org\nMessage-ID: <mine@x.org>\n\nä\n', toAddresses: null });
    expect(mail.messageIdHeader).toBe('<mine@x.org>');
    expect(mail.text.match(/Message-ID/g)).toHaveLength(1);
    expect(mail.text).toContain('Date: Tue, 24 Nov 2026 12:00:00 +0000\r\n');
    expect(mail.raw.toString('utf8')).toMatch(/\r\n\r\nä\r\n$/);
    expect(mail.text).not.toMatch(/[^\r]\n/);
  });
  it('is understood as any reader of mail sees it', () => {
    const { understood } = rawMail(
      'From: Anna <a@x.org>\r\nTo: b@x.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nx',
    );
    expect(understood).toMatchObject({ subject: 'Grüße', from: [{ name: 'Anna', address: 'a@x.org' }], bcc: [] });
  });
  it('goes to whom the columns name; undisclosed recipients are nobody', () => {
    expect(
      rawMail('From: a@x.org\r\nTo: undisclosed-recipients:;\r\n\r\nx', { recipients: 'b@x.org' }).recipients,
    ).toEqual(['b@x.org']);
    expect(() => rawMail('From: a@x.org\r\nTo: undisclosed-recipients:;\r\n\r\nx')).toThrow(/recipients: none/);
  });
  it('goes to all whom its header names, however many', () => {
    const people = (field: string, count: number): string[] =>
      Array.from(
        { length: count },
        (_, index) => `"Somebody with a long name" <${field}${index}@subdomain.example.com>`,
      );
    const header = `To: ${people('to', 1200).join(',\r\n ')}\r\nBcc: ${people('bcc', 900).join(', ')}\r\n`;
    const { recipients, understood } = rawMail(`From: a@x.org\r\n${header}\r\nx`);
    expect([recipients.length, recipients.at(1199), recipients.at(-1)]).toEqual([
      2100,
      'to1199@subdomain.example.com',
      'bcc899@subdomain.example.com',
    ]);
    expect(understood.to).toHaveLength(1200);
    const tooMany = `From: a@x.org\r\nTo: ${people('to', 25_000).join(', ')}\r\n\r\nx`;
    expect(() => compose(input({ raw: Buffer.from(tooMany), toAddresses: null }, { bytesMax: 9_000_000 }))).toThrow(
      /to: \d+ bytes, at most 1048576/,
    );
  });
  it.each([
    ['\r\nFrom: a@x.org\r\n\r\n', 'begins with an empty line'],
    ['no field\r\nFrom: a@x.org\r\n\r\n', 'no field'],
    ['To: b@x.org\r\n\r\nx', 'has no From'],
    ['From: a@x.org\r\nFrom: b@x.org\r\nTo: c@x.org\r\n\r\nx', 'more than one from'],
    ['From: a@x.org\r\nTo: b@x.org\r\nMessage-ID: bad id\r\n\r\nx', 'Message-ID'],
    ['From: a@x.org\r\nTo: not an address\r\n\r\nx', 'give recipients'],
    ['From: a@x.org\r\nTo: b@x.org\r\n\r\na\0b', 'NUL'],
    ['', 'no field'],
  ])('%j is refused', (text, why) => {
    expect(() => rawMail(text)).toThrow(new RegExp(why));
  });
  it('of any bytes is refused or sent with exactly one own header and no Bcc', () => {
    const piece = fc.constantFrom(
      'From: a@x.org',
      'To: b@x.org',
      'Bcc: c@x.org',
      ' folded',
      '\t',
      'bcc : d@x.org',
      'X-Backproc-Id: theirs',
      '\r\n',
      '\n',
      '\r',
      'Subject: x',
      ':',
      'body',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (parts) => {
        try {
          const mail = rawMail(parts.join(''), { recipients: 'only@x.org' });
          const head = mail.text.slice(0, mail.text.indexOf('\r\n\r\n') + 2);
          expect(head.match(/^x-backproc-id[ \t]*:/gim)).toHaveLength(1);
          expect(head).not.toMatch(/^bcc[ \t]*:/im);
          expect(mail.text).not.toMatch(/[^\r]\n|\r[^\n]/);
          expect(mail.recipients).toEqual(['only@x.org']);
        } catch (error) {
          expect(error).toMatchObject({ code: 'outbox_invalid' });
        }
      }),
      { numRuns: 500 },
    );
  });
});
