/**
 * Header fields as lines (RFC 5322 2.2.3, RFC 2047, RFC 2231), by nodemailer's functions for words and parameters. Pure. Given text
 * holds no control characters: the columns were checked for them.
 */
import { buildHeaderValue, encodeWord, encodeWords, foldLines } from 'nodemailer/lib/mime-funcs';
import type { Address } from '../store/store.ts';

/** RFC 5322 2.1.1: lines should have no more than 78 characters; 76 is what encoded-words are made for. */
const lineCharsMax = 76;
/** Of the encoded part of one word (RFC 2047 2: 75 with its frame). */
const wordCharsMax = 52;
/** A run without a space cannot be folded, and no line may have more than 998 characters. */
const unfoldable = /\S{500,}/;

/** Text: subject, and what applications add. */
export function textField(name: string, value: string): string {
  const isPlain = value.length + name.length < lineCharsMax && /^[\x20-\x7e]*$/.test(value) && !value.includes('=?');
  if (isPlain) return `${name}: ${value}\r\n`;
  const encoded = unfoldable.test(value)
    ? encodeWord(value, 'B', wordCharsMax)
    : encodeWords(value, 'B', wordCharsMax, true);
  return folded(`${name}: ${encoded}`);
}

/** Tokens that are separated by spaces, each unchanged: References, Message-ID. */
export const tokenField = (name: string, tokens: readonly string[]): string => folded(`${name}: ${tokens.join(' ')}`);

/** Content-Type and Content-Disposition with their parameters. */
export const structuredField = (name: string, value: string, params: Record<string, string>): string =>
  folded(`${name}: ${buildHeaderValue({ value, params })}`);

/** Empty where there is nobody to name. */
export function addressField(name: string, addresses: readonly Address[]): string {
  if (addresses.length === 0) return '';
  let text = `${name}:`;
  let lineChars = text.length;
  for (const [at, address] of addresses.entries()) {
    const mailbox = `${mailboxOf(address)}${at === addresses.length - 1 ? '' : ','}`;
    const isNewLine = at > 0 && lineChars + mailbox.length + 1 > lineCharsMax;
    text += isNewLine ? `\r\n ${mailbox}` : ` ${mailbox}`;
    lineChars = isNewLine ? mailbox.length + 1 : lineChars + mailbox.length + 1;
  }
  return `${text}\r\n`;
}

function mailboxOf({ name, address }: Address): string {
  return name === '' ? address : `${displayName(name)} <${address}>`;
}

/** Atoms stand as they are, other ASCII in quotes, the rest in encoded-words; a long name may be folded between those. */
function displayName(name: string): string {
  const isAscii = /^[\x20-\x7e]*$/.test(name) && !name.includes('=?');
  if (isAscii && name.length <= wordCharsMax) return /^[\w !#$%&'*+/=?^`{|}~-]+$/.test(name) ? name : quoted(name);
  return encodeWord(name, 'B', wordCharsMax).replaceAll('?= =?', '?=\r\n =?');
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

const folded = (line: string): string => `${line.length > lineCharsMax ? foldLines(line, lineCharsMax) : line}\r\n`;
