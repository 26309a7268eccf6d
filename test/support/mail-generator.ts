/** Realistic mail from a seed: conversations, several scripts and charsets, HTML, attachments that are shared, newsletters. */

export interface GeneratedMail {
  readonly raw: Buffer;
  readonly flags: string;
  readonly date: string;
}

export interface MailGenerator {
  /** `size`: small about 6 KB, mixed 2 KB to 600 KB with a mean near 45 KB. */
  next(size: 'small' | 'mixed'): GeneratedMail;
}

const people = [
  ['Anna Kowalska', 'anna@example.com'],
  ['Jürgen Groß', 'juergen@example.de'],
  ['Łukasz Żółć', 'lukasz@example.pl'],
  ['山田 太郎', 'yamada@example.jp'],
  ['Ольга Иванова', 'olga@example.org'],
  ['محمد علي', 'mohamed@example.net'],
  ['Bob', 'bob@example.com'],
] as const;
const subjects = [
  'Offer 2026/118',
  'Zażółć gęślą jaźń',
  'Rückfrage zur Rechnung',
  '請求書について',
  'Договор на подпись',
  'اجتماع الأسبوع',
  'Minutes 📎',
  'Order confirmed',
  'Newsletter',
];
const words =
  'the invoice for last month was sent to your office please confirm the delivery of goods before friday and let us know whether the meeting on tuesday still stands because the customer asked about the contract terms again regards umowa dostawa zamówienie klient Lieferung Vertrag Angebot Kunde bitte danke'.split(
    ' ',
  );

/** A small linear congruential generator: the same mails for the same seed, everywhere. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function createMailGenerator(seed: number): MailGenerator {
  const random = createRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const prose = (bytes: number): string => {
    const lines: string[] = [];
    for (let length = 0; length < bytes; ) {
      const line = Array.from({ length: 9 }, () => pick(words)).join(' ');
      lines.push(line);
      length += line.length + 2;
    }
    return lines.join('\r\n');
  };
  const attachments = Array.from({ length: 8 }, (_, index) => base64(Buffer.from(prose(3000 * 3 ** (index % 4)))));
  const conversations: { readonly id: string; readonly subject: string }[] = [];
  let number = 0;

  return {
    next(size) {
      number += 1;
      const parent = random() < 0.5 && conversations.length > 0 ? pick(conversations.slice(-40)) : null;
      const id = `<${seed}.${number}@mail.example.com>`;
      const subject = parent ? `Re: ${parent.subject}` : `${pick(subjects)} ${number}`;
      conversations.push({ id, subject: parent?.subject ?? subject });
      const date = new Date(Date.UTC(2024, 0, 1) + number * 3_600_000);
      const header = [
        `Message-ID: ${id}`,
        ...(parent ? [`In-Reply-To: ${parent.id}`, `References: ${parent.id}`] : []),
        `Date: ${date.toUTCString().replace('GMT', '+0000')}`,
        `From: ${mailbox(pick(people))}`,
        `To: ${mailbox(pick(people))}`,
        `Subject: ${encodeWord(subject)}`,
        'MIME-Version: 1.0',
      ];
      const bytes = size === 'small' ? 3500 + random() * 4000 : 1500 + random() ** 4 * 60_000;
      const attachment = size === 'mixed' && random() < 0.35 ? pick(attachments) : null;
      const raw = Buffer.from(
        `${[...header, ...body(prose(bytes), attachment, random() < 0.4, number)].join('\r\n')}\r\n`,
      );
      const flags = [
        random() < 0.7 ? '\\Seen' : '',
        random() < 0.1 ? '\\Flagged' : '',
        random() < 0.2 ? '\\Answered' : '',
      ]
        .filter((flag) => flag !== '')
        .join(' ');
      return { raw, flags, date: imapDate(date) };
    },
  };
}

const encodeWord = (text: string): string =>
  /^[\u0020-\u007e]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
const mailbox = ([name, address]: readonly [string, string]): string => `${encodeWord(name)} <${address}>`;
const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/.{76}/g, '$&\r\n');

function body(text: string, attachment: string | null, isHtml: boolean, number: number): string[] {
  const part = isHtml
    ? [
        'Content-Type: text/html; charset=utf-8',
        '',
        `<html><body><p>${text.replaceAll('\r\n', '</p>\r\n<p>')}</p></body></html>`,
      ]
    : ['Content-Type: text/plain; charset=utf-8', '', text];
  if (attachment === null) return part;
  const boundary = `=_${number}`;
  const name = `filename="file-${number % 7}.pdf"`;
  return [
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    ...part,
    `--${boundary}`,
    'Content-Type: application/pdf',
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment; ${name}`,
    '',
    attachment,
    `--${boundary}--`,
  ];
}

/** `01-Jan-2024 05:00:00 +0000` (RFC 9051 date-time). */
function imapDate(date: Date): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString()) ?? [];
  return `${day}-${month}-${year} ${time} +0000`;
}
