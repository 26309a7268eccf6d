/**
 * Columns as one MIME message. Pure, and the same input is the same bytes. The tree (RFC 2046 5.1) is as small as it can be:
 * mixed (attachments) > related (HTML and what it shows) inside of alternative (text, HTML) > one part.
 */
import { detectMimeType } from 'nodemailer/lib/mime-funcs';
import type { Address } from '../store/store.ts';
import type { LoadedAttachment } from './attachments.ts';
import { dateHeader } from './date-header.ts';
import type { HeaderField } from './header-columns.ts';
import { type EncodedBody, encodeAttachment, encodeText } from './mime-body.ts';
import { addressField, structuredField, textField, tokenField } from './mime-header.ts';

export interface MimeInput {
  readonly from: Address;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly subject: string;
  readonly text: string | null;
  readonly html: string | null;
  readonly headers: readonly HeaderField[];
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  readonly attachments: readonly LoadedAttachment[];
  readonly messageIdHeader: string;
  readonly date: Date;
  /** What boundaries between parts are made of: found nowhere else. */
  readonly boundary: string;
}

/** A part's own header lines, and what follows the empty line. */
interface Part {
  readonly head: string;
  readonly body: readonly (string | Buffer)[];
}

export function buildMime(input: MimeInput): Buffer {
  const root = rootOf(input);
  const pieces = [`${headOf(input)}MIME-Version: 1.0\r\n${root.head}\r\n`, ...root.body];
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece)));
}

function headOf(input: MimeInput): string {
  return [
    ...input.headers.map(({ name, value }) => textField(name, value)),
    addressField('From', [input.from]),
    addressField('To', input.to),
    addressField('Cc', input.cc),
    addressField('Reply-To', input.replyTo),
    textField('Subject', input.subject),
    input.inReplyTo === null ? '' : tokenField('In-Reply-To', [input.inReplyTo]),
    input.references.length === 0 ? '' : tokenField('References', input.references),
    tokenField('Message-ID', [input.messageIdHeader]),
    `Date: ${dateHeader(input.date)}\r\n`,
  ].join('');
}

function rootOf(input: MimeInput): Part {
  const isRelated = ({ cid }: LoadedAttachment): boolean => cid !== null && input.html !== null;
  const related = input.attachments.filter(isRelated).map(attachmentPart);
  const attached = input.attachments.filter((attachment) => !isRelated(attachment)).map(attachmentPart);
  const text = input.text === null ? [] : [textPart('text/plain', input.text)];
  const html =
    input.html === null ? [] : [multipart('related', [textPart('text/html', input.html), ...related], input)];
  return multipart('mixed', [multipart('alternative', [...text, ...html], input), ...attached], input);
}

/** One part alone needs no frame. */
function multipart(kind: 'mixed' | 'alternative' | 'related', parts: readonly Part[], { boundary }: MimeInput): Part {
  const [first] = parts;
  if (first && parts.length === 1) return first;
  const line = `=_${kind}_${boundary}`;
  const body = parts.flatMap((part) => [`--${line}\r\n${part.head}\r\n`, ...part.body, '\r\n']);
  const head = structuredField('Content-Type', `multipart/${kind}`, { boundary: line });
  return { head, body: [...body, `--${line}--\r\n`] };
}

function textPart(type: string, text: string): Part {
  return partOf(structuredField('Content-Type', type, { charset: 'utf-8' }), encodeText(text));
}

function attachmentPart({ bytes, filename, contentType, cid, disposition }: LoadedAttachment): Part {
  const type = contentType ?? detectMimeType(filename ?? '');
  const name: Record<string, string> = filename === null ? {} : { filename };
  const shown = disposition ?? (cid === null ? 'attachment' : 'inline');
  const head = [
    typeField(type, filename),
    structuredField('Content-Disposition', shown, name),
    cid === null ? '' : tokenField('Content-ID', [`<${cid}>`]),
  ].join('');
  return partOf(head, encodeAttachment(bytes, type));
}

/** The name again, for programs that look for it here; what the application gave has its own parameters. */
const typeField = (type: string, filename: string | null): string =>
  type.includes(';') || filename === null
    ? `Content-Type: ${type}\r\n`
    : structuredField('Content-Type', type, { name: filename });

const partOf = (head: string, { encoding, content }: EncodedBody): Part => ({
  head: `${head}Content-Transfer-Encoding: ${encoding}\r\n`,
  body: [content],
});
