/**
 * Content-Transfer-Encoding (RFC 2045 6) undone. Never throws: what is no base64, quoted-printable or uuencode is passed over or
 * kept as it stands. What is not needed is not decoded: a size is counted.
 */
import type { Part } from './part-tree.ts';
import { decodeQuotedPrintable } from './quoted-printable.ts';
import { decodeUuencode } from './uuencode.ts';

const isUuencode = (encoding: string): boolean => /^(x-)?uue(ncode)?$/.test(encoding);

/** Encoded bytes that give one byte, with their line ends. */
const growths: Readonly<Record<string, number>> = { base64: 1.5, 'quoted-printable': 3 };
const growthOf = ({ fields }: Part): number => growths[fields.encoding] ?? (isUuencode(fields.encoding) ? 1.5 : 1);

/** The part's content as bytes; at most about `bytesMax` of them. */
export function decodeBody(raw: Buffer, part: Part, bytesMax = Number.POSITIVE_INFINITY): Buffer {
  const { bodyStart, bodyEnd, fields } = part;
  const encoded = raw.subarray(bodyStart, Math.min(bodyEnd, bodyStart + bytesMax * growthOf(part)));
  if (fields.encoding === 'base64') return decodeBase64(encoded);
  if (isUuencode(fields.encoding)) return decodeUuencode(encoded);
  return fields.encoding === 'quoted-printable' ? decodeQuotedPrintable(encoded) : encoded;
}

/** Whether `decodeBody` leaves some of it out. */
export const hasMoreThan = (part: Part, bytesMax: number): boolean =>
  part.bodyEnd - part.bodyStart > bytesMax * growthOf(part);

/** Senders that encode line by line leave padding in the middle; more pieces than any of them makes are an attack. */
const piecesMax = 20_000;

function decodeBase64(encoded: Buffer): Buffer {
  const padding = encoded.indexOf('=');
  if (padding === -1 || isOnlyPadding(encoded, padding)) return Buffer.from(encoded.toString('latin1'), 'base64');
  const pieces = encoded.toString('latin1').split(/=[=\s]*/, piecesMax);
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64')));
}

/** Node stops at the first padding: fine when nothing follows it. */
function isOnlyPadding(encoded: Buffer, from: number): boolean {
  for (let at = from; at < encoded.length; at += 1) if (isBase64[encoded[at] ?? 0] === 1) return false;
  return true;
}

const isBase64 = Uint8Array.from({ length: 256 }, (_, code) =>
  /[A-Za-z0-9+/_-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** Decoding is quicker than counting until memory matters. */
const decodedToCountMax = 4 * 1024 * 1024;

/** Bytes of the decoded content. */
export function decodedSize(raw: Buffer, part: Part): number {
  const { bodyStart, bodyEnd, fields } = part;
  const length = bodyEnd - bodyStart;
  if (isUuencode(fields.encoding)) return decodeBody(raw, part).length;
  if (fields.encoding !== 'base64' && fields.encoding !== 'quoted-printable') return length;
  if (length <= decodedToCountMax) return decodeBody(raw, part).length;
  return fields.encoding === 'base64' ? base64Size(raw, part) : quotedPrintableSize(raw, part);
}

function base64Size(raw: Buffer, { bodyStart, bodyEnd }: Part): number {
  let count = 0;
  for (let at = bodyStart; at < bodyEnd; at += 1) count += isBase64[raw[at] as number] as number;
  return Math.floor((count * 3) / 4);
}

const EQUALS = 61;

/** `=XX` is one byte, `=` at a line's end none: as exact as a listing needs. */
function quotedPrintableSize(raw: Buffer, { bodyStart, bodyEnd }: Part): number {
  let count = bodyEnd - bodyStart;
  for (let at = raw.indexOf(EQUALS, bodyStart); at !== -1 && at < bodyEnd; at = raw.indexOf(EQUALS, at + 1)) {
    count -= raw[at + 1] === 13 ? 3 : 2;
  }
  return Math.max(0, count);
}
