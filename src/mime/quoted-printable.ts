/**
 * Quoted-printable (RFC 2045 6.7) undone, on bytes: a tenth of what a decoder of strings takes. What is no escape stays as it
 * stands, as rule 1 asks of robust decoders. Pure, linear, never throws.
 */

const EQUALS = 61;
const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;

export function decodeQuotedPrintable(encoded: Buffer): Buffer {
  const decoded = Buffer.allocUnsafe(encoded.length);
  let length = 0;
  let at = 0;
  while (at < encoded.length) {
    const byte = encoded[at] as number;
    const lineEnd = byte === EQUALS ? softBreak(encoded, at + 1) : -1;
    if (lineEnd !== -1) {
      at = lineEnd;
      continue;
    }
    const escaped = byte === EQUALS ? hexByte(encoded, at + 1) : -1;
    decoded[length++] = escaped === -1 ? byte : escaped;
    at += escaped === -1 ? 1 : 3;
  }
  return decoded.subarray(0, length);
}

/** Two hexadecimal digits, in either case; -1: none. */
function hexByte(bytes: Buffer, at: number): number {
  const high = hexDigit(bytes[at] ?? 0);
  const low = hexDigit(bytes[at + 1] ?? 0);
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** A line end after the equals sign, maybe with white space that a transport added; returns where the next line begins, or -1. */
function softBreak(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === SPACE || bytes[at] === TAB) at += 1;
  if (at >= bytes.length || bytes[at] === LF) return Math.min(at + 1, bytes.length);
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : -1;
}
