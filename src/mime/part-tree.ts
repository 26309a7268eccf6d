/**
 * The parts of a message as places in its raw bytes: nothing is copied or decoded, so a mail of 100 MB costs one look at its
 * delimiter lines. Never throws. Where a limit is met the tree is what was found so far. Delimiters count as RFC 2046 5.1 has
 * them: of every open multipart, the innermost first, with white space after them; a part without an empty line, and a
 * multipart that nobody closes, end where the next delimiter is.
 */
import { type Delimiter, markerOf, nextDelimiter } from './part-delimiter.ts';
import { type PartFields, readPartFields } from './part-fields.ts';
import { endOfHeader } from './part-header.ts';
import { type Allowance, treeShare } from './read-limits.ts';

export interface Part {
  /** Section number as IMAP counts (RFC 9051 6.4.5); empty for a multipart that is a message's whole body. */
  readonly number: string;
  readonly parent: Part | null;
  readonly fields: PartFields;
  readonly headerStart: number;
  readonly bodyStart: number;
  /** Without the line end that belongs to the delimiter. */
  bodyEnd: number;
  /** What is in it was not looked at. */
  isTooDeep: boolean;
  /** Of a multipart its parts, of a message/rfc822 the message in it. */
  readonly children: Part[];
}

interface Scan {
  readonly raw: Buffer;
  readonly allowance: Allowance;
  /** From the root to the part that is being passed over. */
  readonly open: Part[];
  /** Those of them that have delimiters, with how many parts are open with each of them and all around it. */
  readonly multiparts: { readonly part: Part; readonly openCount: number }[];
  readonly markers: string[];
  partCount: number;
}

const LF = 10;
const CR = 13;

export function readPartTree(raw: Buffer, allowance: Allowance): Part {
  const scan: Scan = { raw, allowance, open: [], multiparts: [], markers: [], partCount: 0 };
  let at = openPart(scan, null, 0);
  const root = scan.open[0] as Part;
  let delimiter = nextDelimiter(scan.raw, at, scan.markers, allowance);
  while (delimiter) {
    at = passDelimiter(scan, delimiter);
    if (isSpent(scan)) break;
    delimiter = nextDelimiter(scan.raw, at, scan.markers, allowance);
  }
  closeParts(scan, 0, delimiter ? at : raw.length);
  return root;
}

function isSpent({ partCount, allowance }: Scan): boolean {
  const { limits, met } = allowance;
  if (partCount >= limits.partCountMax) met.add('parts');
  return partCount >= limits.partCountMax || allowance.isOver(treeShare);
}

/** Ends what the delimiter ends, begins what it begins; returns where to look on. */
function passDelimiter(scan: Scan, { start, next, level, isLast }: Delimiter): number {
  const { part, openCount } = scan.multiparts[level] as Scan['multiparts'][number];
  closeParts(scan, openCount, endBefore(scan.raw, start));
  scan.multiparts.length = isLast ? level : level + 1;
  scan.markers.length = scan.multiparts.length;
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
  const bodyStart = endOfHeader(raw, start, scan.markers, allowance);
  const defaultType = parent?.fields.type === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
  const fields = readPartFields(raw.subarray(start, bodyStart), defaultType, allowance);
  const number = numberOf(parent, fields);
  const part: Part = {
    number,
    parent,
    fields,
    headerStart: start,
    bodyStart,
    bodyEnd: raw.length,
    isTooDeep: false,
    children: [],
  };
  parent?.children.push(part);
  open.push(part);
  scan.partCount += 1;
  if (!isContainer(fields)) return bodyStart;
  if (open.length >= allowance.limits.depthMax) {
    allowance.met.add('depth');
    part.isTooDeep = true;
    return bodyStart;
  }
  if (fields.boundary === null) return openPart(scan, part, bodyStart);
  scan.multiparts.push({ part, openCount: open.length });
  scan.markers.push(markerOf(fields.boundary));
  return bodyStart;
}

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
