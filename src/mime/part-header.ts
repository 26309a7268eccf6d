/**
 * Where a part's header ends. At the empty line; but mail is written by programs: at a delimiter that comes before one, and where
 * lines are no header fields any more (RFC 5322 2.2), because an empty line was forgotten.
 */
import { delimiterAt } from './part-delimiter.ts';
import type { Allowance } from './read-limits.ts';

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
const DASH = 45;

/** Returns where the body begins. */
export function endOfHeader(raw: Buffer, start: number, markers: readonly string[], allowance: Allowance): number {
  const searchedEnd = Math.min(raw.length, start + allowance.limits.headerBytesMax);
  let at = start;
  while (at < searchedEnd) {
    if (raw[at] === LF) return at + 1;
    if (raw[at] === CR && raw[at + 1] === LF) return at + 2;
    if (delimiterAt(raw, at, markers) || isBodyLine(raw, at, start)) return at;
    at = nextLine(raw, at);
  }
  if (at >= raw.length) return raw.length;
  allowance.met.add('header');
  return afterEmptyLine(raw, at - 1);
}

function nextLine(raw: Buffer, at: number): number {
  const feed = raw.indexOf(LF, at);
  return feed === -1 ? raw.length : feed + 1;
}

/**
 * One odd line among fields is passed over: a line that lost its folding, or what another program left there. A delimiter, of a
 * multipart whose header this is, is no odd line.
 */
function isBodyLine(raw: Buffer, at: number, start: number): boolean {
  if (isHeaderLine(raw, at, start)) return false;
  if (raw[at] === DASH && raw[at + 1] === DASH) return true;
  const next = nextLine(raw, at);
  return next >= raw.length || !isField(raw, next);
}

/** A field, a folded line, or the line that an mbox file begins a message with. */
function isHeaderLine(raw: Buffer, at: number, start: number): boolean {
  const first = raw[at];
  if (at > start && (first === SPACE || first === TAB)) return true;
  return isField(raw, at) || (at === start && /^>?From /.test(raw.toString('latin1', at, at + 6)));
}

const nameBytesMax = 100;

/** Printable characters, maybe white space, a colon (RFC 5322 3.6.8 and 4.5). */
function isField(raw: Buffer, start: number): boolean {
  let at = start;
  while (at - start < nameBytesMax && isNameByte(raw[at])) at += 1;
  if (at === start) return false;
  while (raw[at] === SPACE || raw[at] === TAB) at += 1;
  return raw[at] === COLON;
}

/** 8-bit bytes too: what is no field name for RFC 5322 may still be meant as one. */
const isNameByte = (byte: number | undefined): boolean =>
  byte !== undefined && byte > SPACE && byte !== COLON && byte !== 127;

function afterEmptyLine(raw: Buffer, from: number): number {
  const bare = raw.indexOf('\n\n', from);
  const full = raw.indexOf('\n\r\n', from);
  if (bare !== -1 && (full === -1 || bare < full)) return bare + 2;
  return full === -1 ? raw.length : full + 3;
}
