/**
 * A whole message that an application brought: sent as it is, but with CRLF line ends, without Bcc, and with the Message-ID, Date
 * and own header that every entry has. The fields are found in the bytes; nothing is decoded and encoded again, so a signature
 * over the body stays valid. Pure; throws outbox_invalid.
 */
import { isAscii } from 'node:buffer';
import { decodeHeaderBytes } from '../mime/charset.ts';
import { headerBlock } from '../mime/header-block.ts';
import { readAddressList, readHeaderFields } from '../mime/header-fields.ts';
import type { ComposedEntry, UnderstoodColumns } from '../store/outbox-entry.ts';
import type { Address } from '../store/store.ts';
import { readAddressSpec } from './address-spec.ts';
import { readAddresses, uniqueAddresses } from './addresses.ts';
import { type ComposeInput, domainOf, envelopeOf, ownHeader, readMessageId, senderOf } from './compose-input.ts';
import { dateHeader } from './date-header.ts';
import { hasControl, invalid, shown } from './invalid.ts';

export function composeRaw(input: ComposeInput): ComposedEntry {
  const smtpFrom = senderOf(input);
  const message = splitMessage(toCrlf(bytesOf(input)));
  const fields = fieldsOf(message.head);
  refuseUnfit(input, fields);
  const kept = fields.filter(({ name }) => !dropped.has(name));
  const messageIdHeader =
    givenMessageId(fields) ?? readMessageId(input.columns.messageIdHeader) ?? idOf(input, smtpFrom);
  const added = [
    `${ownHeader}: ${input.id}\r\n`,
    ...(givenMessageId(fields) === null ? [`Message-ID: ${messageIdHeader}\r\n`] : []),
    ...(fields.some(({ name }) => name === 'date') ? [] : [`Date: ${dateHeader(input.date)}\r\n`]),
  ];
  const head = [...added, ...kept.map(({ text }) => text)].join('');
  return {
    raw: Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), message.body]),
    messageIdHeader,
    xBackprocId: input.id,
    smtpFrom,
    recipients: recipientsOf(input, fields),
    attachments: input.columns.attachments,
    understood: understoodOf(input, message.head, fields),
  };
}

/** Never sent: who else got it, and what belongs to a mail's arrival or to another sending of it. */
const dropped = new Set(['bcc', 'resent-bcc', 'return-path', ownHeader.toLowerCase()]);

function bytesOf({ columns: { raw }, bytesMax }: ComposeInput): Buffer {
  const bytes = typeof raw === 'string' ? Buffer.from(raw, 'utf8') : Buffer.from(raw ?? []);
  if (bytes.length > bytesMax)
    throw invalid('raw', `${bytes.length} bytes, at most ${bytesMax} (EMAIL_OUTBOX_MAX_MESSAGE_BYTES)`);
  if (bytes.includes(0)) throw invalid('raw', 'holds a NUL byte');
  return bytes;
}

/** What the server is sent, the store keeps and Sent gets are the same bytes: a bare CR or LF would be changed on the way. */
function toCrlf(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  return /\r(?!\n)|(?<!\r)\n/.test(text) ? Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n'), 'latin1') : bytes;
}

function splitMessage(bytes: Buffer): { readonly head: string; readonly body: Buffer } {
  if (bytes.subarray(0, 2).toString('latin1') === '\r\n')
    throw invalid('raw', 'begins with an empty line: there are no header fields');
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return { head: withLineEnd(bytes.toString('latin1')), body: Buffer.alloc(0) };
  return { head: bytes.toString('latin1', 0, end + 2), body: bytes.subarray(end + 4) };
}

const withLineEnd = (text: string): string => (text.endsWith('\r\n') ? text : `${text}\r\n`);

interface Field {
  /** Lower case. */
  readonly name: string;
  /** With its folded lines and its line end; latin1 stands for bytes. */
  readonly text: string;
}

const fieldsMax = 1000;

function fieldsOf(head: string): Field[] {
  const texts = head.split(/(?<=\r\n)(?![ \t])/);
  if (texts.length > fieldsMax) throw invalid('raw', `${texts.length} header fields, at most ${fieldsMax}`);
  return texts.map((text) => {
    const name = /^([!-9;-~]+)[ \t]*:/.exec(text)?.[1];
    if (name === undefined) throw invalid('raw', `a header line is no field: ${shown(text.trimEnd())}`);
    return { name: name.toLowerCase(), text };
  });
}

const valueIn = ({ text }: Field): string =>
  text
    .slice(text.indexOf(':') + 1)
    .replace(/\r\n/g, '')
    .trim();

function refuseUnfit({ columns }: ComposeInput, fields: readonly Field[]): void {
  for (const name of ['from', 'date', 'message-id', 'subject', 'to', 'cc', 'reply-to', 'sender'])
    if (fields.filter((field) => field.name === name).length > 1) throw invalid('raw', `more than one ${name} field`);
  if (!fields.some(({ name }) => name === 'from')) throw invalid('raw', 'has no From field');
  if (columns.attachments !== null || columns.headers !== null)
    throw invalid('raw', 'attachments and headers are for mails made of columns');
}

function givenMessageId(fields: readonly Field[]): string | null {
  const field = fields.find(({ name }) => name === 'message-id');
  return field === undefined ? null : readMessageId(valueIn(field));
}

const idOf = ({ id }: ComposeInput, smtpFrom: string): string =>
  `<${id}@${smtpFrom === '' ? 'localhost' : domainOf(smtpFrom)}>`;

/** For whoever looks at the row: the columns where they are filled, else the header as any reader of mail sees it. */
function understoodOf({ columns }: ComposeInput, head: string, fields: readonly Field[]): UnderstoodColumns {
  const bytes = Buffer.from(head, 'latin1');
  const { subject, from } = readHeaderFields(bytes);
  const { charset } = headerBlock(bytes);
  const peopleIn = (name: string): Address[] =>
    fields.filter((field) => field.name === name).flatMap((field) => addressList(field, charset));
  const given = (text: string | null, column: string, others: readonly Address[]): readonly Address[] =>
    text === null ? others : readAddresses(text, column);
  return {
    subject: columns.subject ?? subject,
    from: given(columns.fromAddress, 'from_address', from),
    to: given(columns.toAddresses, 'to_addresses', peopleIn('to')),
    cc: given(columns.ccAddresses, 'cc_addresses', peopleIn('cc')),
    bcc: given(columns.bccAddresses, 'bcc_addresses', []),
  };
}

/** The columns say who gets it; where they are empty, To, Cc and Bcc of the message do. */
function recipientsOf({ columns }: ComposeInput, fields: readonly Field[]): string[] {
  const named = [
    ...readAddresses(columns.toAddresses, 'to_addresses'),
    ...readAddresses(columns.ccAddresses, 'cc_addresses'),
    ...readAddresses(columns.bccAddresses, 'bcc_addresses'),
  ];
  const given = envelopeOf(columns, named);
  if (given.length > 0) return given;
  const fromFields = ['to', 'cc', 'bcc'].flatMap((name) =>
    fields.filter((field) => field.name === name).flatMap((field) => addressesIn(field)),
  );
  return uniqueAddresses(fromFields);
}

/** 10,000 recipients with long names; reading them takes a fifth of a second. */
const addressFieldBytesMax = 1024 * 1024;

/** The reader of stored mail, but all of it: whom it left out would never get the mail. */
function addressList(field: Field, charset: string | null = null): Address[] {
  const bytes = Buffer.from(valueIn(field), 'latin1');
  if (bytes.length > addressFieldBytesMax)
    throw invalid('raw', `${field.name}: ${bytes.length} bytes, at most ${addressFieldBytesMax}`);
  return readAddressList(decodeHeaderBytes(bytes, charset));
}

/** Each address as strictly as in a column. */
function addressesIn(field: Field): string[] {
  const value = valueIn(field);
  if (isAscii(Buffer.from(value, 'latin1')) && hasControl(value.replaceAll('\t', ' ')))
    throw invalid('raw', `control characters in ${field.name}`);
  const found = addressList(field);
  return found.flatMap(({ name, address }) => {
    if (address === '' && /^(undisclosed[- ]recipients)?$/i.test(name)) return [];
    const spec = readAddressSpec(address);
    if ('problem' in spec)
      throw invalid('raw', `${field.name}: ${spec.problem}: ${shown(address || name)}; give recipients`);
    return [spec.address];
  });
}
