/**
 * The parts of a message as places in its raw bytes: nothing is copied or decoded, so a mail of 100 MB costs one look at its
 * delimiter lines. Never throws. Where a limit is met the tree is what was found so far. Delimiters count as RFC 2046 5.1 has
 * them: of every open multipart, the innermost first, with white space after them; a part without an empty line, and a
 * multipart that nobody closes, end where the next delimiter is.
 */
import { type PartFields, readPartFields } from './part-fields.ts';
import type { Allowance } from './read-limits.ts';

export interface Part {
  /** Section number as IMAP counts (RFC 9051 6.4.5); empty for a multipart that is a message's whole body. */
  readonly number: string;
  readonly parent: Part | null;
  readonly fields: PartFields;
  readonly headerStart: number;
  readonly bodyStart: number;
  /** Without the line end that belongs to the delimiter. */
  bodyEnd: number;
  /** Of a multipart its parts, of a message/rfc822 the message in it. */
  readonly children: Part[];
}

interface OpenMultipart {
  readonly part: Part;
  /** The delimiter line as Latin-1, with its two dashes. */
  readonly marker: string;
  /** How many parts are open with this multipart and all around it. */
  readonly openCount: number;
}

interface Scan {
  readonly raw: Buffer;
  readonly allowance: Allowance;
  /** From the root to the part that is being passed over. */
  readonly open: Part[];
  readonly multiparts: OpenMultipart[];
  partCount: number;
}

interface Delimiter {
  readonly start: number;
  /** Where the line after it begins. */
  readonly next: number;
  readonly level: number;
  readonly isLast: boolean;
}

const LF = 10;
const CR = 13;
const DASH = 45;

export function readPartTree(raw: Buffer, allowance: Allowance): Part {
  const scan: Scan = { raw, allowance, open: [], multiparts: [], partCount: 0 };
  let at = openPart(scan, null, 0);
  const root = scan.open[0] as Part;
  let delimiter = nextDelimiter(scan, at);
  while (delimiter) {
    at = passDelimiter(scan, delimiter);
    if (isSpent(scan)) break;
    delimiter = nextDelimiter(scan, at);
  }
  closeParts(scan, 0, delimiter ? at : raw.length);
  return root;
}

function isSpent({ partCount, allowance }: Scan): boolean {
  const { limits, met } = allowance;
  if (partCount >= limits.partCountMax) met.add('parts');
  return partCount >= limits.partCountMax || allowance.isOver();
}

/** Ends what the delimiter ends, begins what it begins; returns where to look on. */
function passDelimiter(scan: Scan, { start, next, level, isLast }: Delimiter): number {
  const { part, openCount } = scan.multiparts[level] as OpenMultipart;
  closeParts(scan, openCount, endBefore(scan.raw, start));
  scan.multiparts.length = isLast ? level : level + 1;
  return isLast ? next : openPart(scan, part, next);
}

/** The line end before a delimiter is part of it (RFC 2046 5.1.1). */
function endBefore(raw: Buffer, start: number): number {
  if (start === 0 || raw[start - 1] !== LF) return start;
  return raw[start - 2] === CR ? start - 2 : start - 1;
}

function closeParts(scan: Scan, keep: number, end: number): void {
  for (const part of scan.open.splice(keep)) part.bodyEnd = Math.max(part.bodyStart, end);
}

/** A multipart and a message stay open around their parts; recursion ends at depthMax. */
function openPart(scan: Scan, parent: Part | null, start: number): number {
  const { raw, open, allowance } = scan;
  const bodyStart = endOfHeader(scan, start);
  const defaultType = parent?.fields.type === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
  const fields = readPartFields(raw.subarray(start, bodyStart), defaultType, allowance.limits.fieldBytesMax);
  const number = numberOf(parent, fields);
  const part: Part = { number, parent, fields, headerStart: start, bodyStart, bodyEnd: raw.length, children: [] };
  parent?.children.push(part);
  open.push(part);
  scan.partCount += 1;
  if (!isContainer(fields)) return bodyStart;
  if (open.length >= allowance.limits.depthMax) allowance.met.add('depth');
  else if (fields.boundary === null) return openPart(scan, part, bodyStart);
  else scan.multiparts.push({ part, marker: markerOf(fields.boundary), openCount: open.length });
  return bodyStart;
}

const markerOf = (boundary: string): string => `--${Buffer.from(boundary).toString('latin1')}`;

export const isMessage = (fields: PartFields): boolean =>
  /^message\/(rfc822|global)$/.test(fields.type) && !/^(base64|quoted-printable)$/.test(fields.encoding);

/** A multipart without a boundary has no parts: it is read as a leaf. */
const isContainer = (fields: PartFields): boolean => fields.boundary !== null || isMessage(fields);

/** RFC 9051 6.4.5: the body of a message that is no multipart is its part 1; a multipart there has no number of its own. */
function numberOf(parent: Part | null, fields: PartFields): string {
  const isBody = parent === null || isMessage(parent.fields);
  if (isBody && fields.boundary !== null) return '';
  const prefix = prefixOf(parent);
  const index = isBody ? 1 : (parent?.children.length ?? 0) + 1;
  return prefix === '' ? `${index}` : `${prefix}.${index}`;
}

/** The nearest number around it: a multipart that is a message's body hands on the message's. */
function prefixOf(part: Part | null): string {
  if (part === null) return '';
  return part.number === '' ? prefixOf(part.parent) : part.number;
}

/** Where the body begins: after the empty line, or at a delimiter that comes first. */
function endOfHeader(scan: Scan, start: number): number {
  const { raw, allowance } = scan;
  const searchedEnd = Math.min(raw.length, start + allowance.limits.headerBytesMax);
  let at = start;
  while (at < searchedEnd) {
    if (raw[at] === LF) return at + 1;
    if (raw[at] === CR && raw[at + 1] === LF) return at + 2;
    if (delimiterAt(scan, at)) return at;
    const feed = raw.indexOf(LF, at);
    if (feed === -1) return raw.length;
    at = feed + 1;
  }
  if (at >= raw.length) return raw.length;
  allowance.met.add('header');
  return afterEmptyLine(raw, at - 1);
}

function afterEmptyLine(raw: Buffer, from: number): number {
  const ends = [raw.indexOf('\n\n', from), raw.indexOf('\n\r\n', from)];
  const [bare = -1, full = -1] = ends;
  if (bare !== -1 && (full === -1 || bare < full)) return bare + 2;
  return full === -1 ? raw.length : full + 3;
}

/** How many lines that look like delimiters and are none pass between two looks at the clock. */
const linesBetweenLooks = 4096;

/** `from` is the start of a line. */
function nextDelimiter(scan: Scan, from: number): Delimiter | null {
  if (scan.multiparts.length === 0) return null;
  let at = from;
  for (let count = 1; at < scan.raw.length; count += 1) {
    const delimiter = delimiterAt(scan, at);
    if (delimiter) return delimiter;
    const feed = scan.raw.indexOf('\n--', at);
    if (feed === -1 || (count % linesBetweenLooks === 0 && scan.allowance.isOver())) return null;
    at = feed + 1;
  }
  return null;
}

/** The innermost open multipart that this line delimits. */
function delimiterAt(scan: Scan, start: number): Delimiter | null {
  const { raw, multiparts } = scan;
  if (raw[start] !== DASH || raw[start + 1] !== DASH) return null;
  for (let level = multiparts.length - 1; level >= 0; level -= 1) {
    const { marker } = multiparts[level] as OpenMultipart;
    if (raw[start + 2] !== marker.charCodeAt(2)) continue;
    const rest = restOfLine(raw, start, marker);
    if (rest !== null) return { start, next: rest.next, level, isLast: rest.isLast };
  }
  return null;
}

/** White space that transports have added after a delimiter. */
const paddingBytesMax = 64;

function restOfLine(raw: Buffer, start: number, marker: string): { next: number; isLast: boolean } | null {
  const end = start + marker.length;
  if (raw.toString('latin1', start, end) !== marker) return null;
  const match = /^(--)?[ \t]*(\r?\n|\r?$)/.exec(raw.toString('latin1', end, end + paddingBytesMax));
  if (!match || (match[2]?.endsWith('\n') !== true && end + match[0].length < raw.length)) return null;
  return { next: end + match[0].length, isLast: match[1] !== undefined };
}
