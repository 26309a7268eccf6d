/**
 * Encoded-words (RFC 2047) as text. libmime joins and decodes them; a charset that it does not, UTF-7, or a name that nobody knows
 * such as the `unknown-8bit` of relays (RFC 1428), is read as in a body, and handed to it in UTF-8. Never throws.
 */
import libmime from 'libmime';
import { decodeBytes, isKnownCharset } from './charset.ts';
import { decodeQuotedPrintable } from './quoted-printable.ts';

/** Charset, language (RFC 2231 5), encoding, text. */
const encodedWord = /=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bq])\?([^?]*)\?=/gi;
const utf7 = /^(unicode-1-1-)?utf-?7$/i;

export function decodeWords(value: string): string {
  if (!value.includes('=?')) return value;
  try {
    return libmime.decodeWords(value.replace(encodedWord, inKnownCharset));
  } catch {
    return value; // an encoded-word that cannot be decoded is shown as it stands
  }
}

function inKnownCharset(word: string, charset: string, encoding: string, text: string): string {
  if (isKnownCharset(charset) && !utf7.test(charset)) return word;
  const isBase64 = encoding.toLowerCase() === 'b';
  const bytes = isBase64
    ? Buffer.from(text, 'base64')
    : decodeQuotedPrintable(Buffer.from(text.replaceAll('_', '=20'), 'latin1'));
  return `=?utf-8?B?${Buffer.from(decodeBytes(bytes, charset)).toString('base64')}?=`;
}
