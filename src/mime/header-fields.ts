/**
 * The header fields of a message, decoded: what a list of mails shows, written in the transaction that stores the bytes.
 * Never throws and is bounded on any input (RFC 5322 headers as they are, not as they should be): a field too long is cut,
 * an address list too long is cut, a charset that nobody knows is read as best it can. Cheap on the sync path: one scan, and
 * libmime only where there is an encoded-word.
 */
import addressparser from 'nodemailer/lib/addressparser';
import { decodeHeaderBytes } from './charset.ts';
import { cleanText } from './clean-text.ts';
import { readDate } from './date.ts';
import { decodeWords } from './encoded-words.ts';
import { type HeaderBlock, headerBlock } from './header-block.ts';

export interface Address {
  readonly name: string;
  readonly address: string;
}

/** Valid Unicode without NUL and other control characters; same shape as the store's. */
export interface HeaderFields {
  readonly messageIdHeader: string | null;
  readonly inReplyTo: string | null;
  readonly references: string | null;
  readonly subject: string | null;
  readonly from: readonly Address[];
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  /** UTC, `2026-11-23T05:17:00.000Z`. */
  readonly sentAt: string | null;
}

/** 500 recipients are a mailing; what 100,000 of them cost, and what no list will show, is left in the raw bytes. */
const addressCountMax = 500;
/** Characters of an address field that are parsed; about 500 addresses. */
const addressCharsMax = 32 * 1024;
/** No subject is longer in earnest; libmime's time grows with the number of encoded-words. */
const textCharsMax = 16 * 1024;

export function readHeaderFields(raw: Buffer): HeaderFields {
  const block = headerBlock(raw);
  const text = (name: string): string | null => textField(block, name);
  return {
    messageIdHeader: messageId(text('message-id')),
    inReplyTo: text('in-reply-to'),
    references: text('references'),
    subject: text('subject'),
    from: addressField(block, 'from'),
    to: addressField(block, 'to'),
    cc: addressField(block, 'cc'),
    sentAt: readDate(text('date')),
  };
}

/** Whether a limit above left some of it out. */
export function isHeaderCut(raw: Buffer): boolean {
  const block = headerBlock(raw);
  const isTooLong = (name: string): boolean => (rawField(block, name, textCharsMax + 1)?.length ?? 0) > textCharsMax;
  return (
    ['message-id', 'in-reply-to', 'references', 'subject'].some(isTooLong) ||
    ['from', 'to', 'cc'].some((name) => isListCut(block, name))
  );
}

function isListCut(block: HeaderBlock, name: string): boolean {
  const value = rawField(block, name, addressCharsMax + 1) ?? '';
  if (value.length > addressCharsMax) return true;
  // Two characters are the least that an address takes, with its comma: shorter fields need no parser.
  return value.length > addressCountMax * 2 && readAddressList(value).length > addressCountMax;
}

function rawField(block: HeaderBlock, name: string, charsMax: number): string | null {
  const bytes = block.field(name);
  if (bytes === undefined) return null;
  return decodeHeaderBytes(bytes.subarray(0, charsMax * 4), block.charset).slice(0, charsMax);
}

function textField(block: HeaderBlock, name: string): string | null {
  const value = rawField(block, name, textCharsMax);
  if (value === null) return null;
  const text = cleanText(decodeWords(value)).replace(/\s+/g, ' ').trim();
  return text === '' ? null : text;
}

/** `<id@host>`; comments and a second id are left out. Without brackets, as it stands. */
function messageId(value: string | null): string | null {
  return value === null ? null : (/<[^<>]+>/.exec(value)?.[0].replace(/\s+/g, '') ?? value);
}

interface Parsed {
  name?: string | undefined;
  address?: string | undefined;
  group?: readonly Parsed[] | undefined;
}

/** One plain mailbox, `Name <local@host>`, as nine in ten fields are: a tenth of the parser's time. */
const plainMailbox = /^(?:"([^"\\<>]*)" *|([^"\\<>@,;:()]*))<([\w.+-]+@[\w.-]+)>$/;

function addressField(block: HeaderBlock, name: string): Address[] {
  const value = rawField(block, name, addressCharsMax);
  return value === null ? [] : readAddressList(value).slice(0, addressCountMax);
}

/** All of an unfolded address field. Whoever asks bounds its length: a megabyte of the worst takes two thirds of a second. */
export function readAddressList(value: string): Address[] {
  const plain = plainMailbox.exec(value.trim());
  if (plain) return [toAddress({ name: plain[1] ?? plain[2], address: plain[3] })];
  try {
    return flatten(addressparser(value));
  } catch {
    return [{ name: cleanText(value).slice(0, 200), address: '' }]; // not to be parsed: shown as a name
  }
}

/** Groups (RFC 5322 3.4) are melted into the list: an application wants people. */
function flatten(entries: readonly Parsed[]): Address[] {
  return entries.flatMap((entry) => (entry.group ? flatten(entry.group) : [toAddress(entry)]));
}

const toAddress = ({ name, address }: Parsed): Address => ({
  name: cleanText(decodeWords(name ?? ''))
    .replace(/\s+/g, ' ')
    .trim(),
  address: cleanText(decodeWords(address ?? '')).trim(),
});
