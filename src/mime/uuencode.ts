/**
 * uuencode (POSIX) undone, which mailers older than MIME still name as x-uuencode. The lines after `begin 644 name` count, up to
 * the first that is none; without such a line the bytes stay as they stand. Pure, linear, never throws, never grows.
 */

const LF = 10;
const SPACE = 32;
const BACKTICK = 96;

/** A note may stand before it. */
const beginSearchedBytes = 4096;

export function decodeUuencode(encoded: Buffer): Buffer {
  const begin = /(?:^|\n)begin [0-7]{3,4} [^\r\n]*\r?\n/.exec(encoded.toString('latin1', 0, beginSearchedBytes));
  if (!begin) return encoded;
  const decoded = Buffer.allocUnsafe(encoded.length);
  let length = 0;
  for (let at = begin.index + begin[0].length; at < encoded.length; ) {
    const feed = encoded.indexOf(LF, at);
    const end = feed === -1 ? encoded.length : feed;
    const count = lineCount(encoded, at, end);
    if (count === 0) break;
    for (let index = 0; index < count; index += 1) decoded[length++] = byteAt(encoded, at + 1, end, index);
    at = end + 1;
  }
  return decoded.subarray(0, length);
}

/** What the line says, and not more than its characters can hold. */
function lineCount(encoded: Buffer, at: number, end: number): number {
  const first = encoded[at] ?? 0;
  if (first < SPACE || first > BACKTICK) return 0;
  return Math.min((first - SPACE) & 63, Math.ceil(((end - at - 1) * 3) / 4));
}

/** Four characters are three bytes. */
function byteAt(encoded: Buffer, from: number, end: number, index: number): number {
  const group = from + Math.floor(index / 3) * 4;
  const place = index % 3;
  const high = sixBits(encoded, group + place, end);
  const low = sixBits(encoded, group + place + 1, end);
  return ((high << (2 + place * 2)) | (low >> (4 - place * 2))) & 255;
}

/** Spaces at a line's end may have been lost on the way. */
function sixBits(encoded: Buffer, at: number, end: number): number {
  const code = at < end ? (encoded[at] ?? SPACE) : SPACE;
  return code < SPACE ? 0 : (code - SPACE) & 63;
}
