/**
 * Bytes of unknown making to text: never throws, always valid Unicode. 7-bit needs no decision; UTF-8 proves itself; then what
 * the mail says; then windows-1252. Node's decoder knows what browsers know (full ICU), iconv-lite the rest: DOS and Mac code
 * pages, UTF-7, UTF-32.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';

/** Encodings whose bytes may all be 7-bit, or look like UTF-8, and mean something else: here the mail's word counts first. */
const deceptive = /^(iso-2022|hz|utf-?7|utf-?16|utf-?32|ucs-?[24]|unicode$)/i;

export function decodeBytes(bytes: Buffer, charset: string | null): string {
  const ascii = isAscii(bytes);
  if (charset !== null && deceptive.test(charset) && (!ascii || isEncoded(bytes, charset)))
    return named(bytes, charset);
  if (ascii) return bytes.toString('latin1');
  return isUtf8(bytes) ? withoutMark(bytes.toString('utf8')) : named(bytes, charset ?? 'windows-1252');
}

/** 7-bit bytes said to be in a stateful or wide encoding: do they use it? */
function isEncoded(bytes: Buffer, charset: string): boolean {
  if (/^iso-2022/i.test(charset)) return bytes.includes(27);
  if (/^hz/i.test(charset)) return bytes.includes('~{');
  return /^utf-?7/i.test(charset) ? bytes.includes('+') : true;
}

function named(bytes: Buffer, charset: string): string {
  const text = webDecoded(bytes, charset);
  if (text !== null) return text;
  if (iconv.encodingExists(charset)) return iconv.decode(bytes, charset);
  return new TextDecoder('windows-1252').decode(bytes); // a name nobody knows: every byte still shows
}

/** Spellings that browsers do not know of encodings that they do. */
const otherNames: Readonly<Record<string, string>> = {
  cp932: 'shift_jis',
  'x-windows-949': 'euc-kr',
  cp949: 'euc-kr',
  cp936: 'gbk',
  cp950: 'big5',
  ks_c_5601: 'euc-kr',
  unicode: 'utf-16',
};

function webDecoded(bytes: Buffer, charset: string): string | null {
  const name = charset.trim().toLowerCase();
  try {
    return new TextDecoder(otherNames[name] ?? name).decode(bytes);
  } catch {
    return null; // not an encoding of the web
  }
}

const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);
