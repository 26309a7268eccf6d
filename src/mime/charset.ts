/**
 * Bytes of unknown making to text: never throws, always valid Unicode. 7-bit needs no decision; UTF-8 proves itself; then what
 * the mail says; then windows-1252. Node's decoder knows what browsers know (full ICU), iconv-lite the rest: DOS and Mac code
 * pages, UTF-7, UTF-32.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';

/** Encodings whose bytes may all be 7-bit, or look like UTF-8, and mean something else: here the mail's word counts first. */
const deceptive = /^(iso-2022|hz|utf-?7|utf-?16|utf-?32|ucs-?[24])/;

export function decodeBytes(bytes: Buffer, charset: string | null): string {
  const name = canonicalName(charset ?? 'windows-1252');
  const ascii = isAscii(bytes);
  if (deceptive.test(name) && (!ascii || isEncoded(bytes, name))) return named(bytes, name);
  if (ascii) return bytes.toString('latin1');
  return isUtf8(bytes) ? withoutMark(bytes.toString('utf8')) : named(bytes, name);
}

/** Of a header field: never wide, and a plus sign is a plus sign, whatever the body is in. */
export function decodeHeaderBytes(bytes: Buffer, charset: string | null): string {
  const isBodyOnly = charset !== null && /^(utf-?7|utf-?16|utf-?32|ucs-?[24])/.test(canonicalName(charset));
  return decodeBytes(bytes, isBodyOnly ? null : charset);
}

/** 7-bit bytes said to be in a stateful or wide encoding: do they use it? */
function isEncoded(bytes: Buffer, name: string): boolean {
  if (name.startsWith('iso-2022')) return bytes.includes(27);
  if (name.startsWith('hz')) return bytes.includes('~{');
  return /^utf-?7/.test(name) ? bytes.includes('+') : true;
}

function named(bytes: Buffer, name: string): string {
  const text = webDecoded(bytes, name);
  if (text !== null) return text;
  if (iconv.encodingExists(name)) return iconv.decode(bytes, name);
  return iconv.decode(bytes, 'windows-1252'); // a name nobody knows: every byte still shows
}

/** Whether bytes in it are read as what it says; in any other they are guessed. */
export function isKnownCharset(charset: string): boolean {
  const name = canonicalName(charset);
  return webDecoded(Buffer.alloc(0), name) !== null || iconv.encodingExists(name);
}

/** Spellings that neither knows. */
const otherNames: Readonly<Record<string, string>> = {
  cp932: 'shift_jis',
  'x-windows-949': 'euc-kr',
  cp949: 'euc-kr',
  cp936: 'gbk',
  cp950: 'big5',
  ks_c_5601: 'euc-kr',
  unicode: 'utf-16',
  'unicode-1-1-utf-7': 'utf-7',
};

function canonicalName(charset: string): string {
  const name = charset.trim().toLowerCase();
  return otherNames[name] ?? name;
}

function webDecoded(bytes: Buffer, name: string): string | null {
  try {
    const decoder = new TextDecoder(name);
    // Node 20's own takes it for ISO 8859-1: no euro sign, no dash, no curved quotes.
    if (decoder.encoding === 'windows-1252') return iconv.decode(bytes, 'windows-1252');
    // The Encoding Standard has one decoder for both; Node 20's own for GBK loses the euro sign.
    return (decoder.encoding === 'gbk' ? new TextDecoder('gb18030') : decoder).decode(bytes);
  } catch {
    return null; // not an encoding of the web
  }
}

const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);
