/**
 * The data items of one FETCH answer (RFC 9051 7.5.2): `UID 5 FLAGS (\Seen) BODY[] {342}…`, in any order, with whatever else a
 * server adds. Pure. Understands every value by its shape alone (atom, quoted string, literal, list), so that an item nobody
 * asked for is passed over; a text that is no list of items gives undefined.
 */

export interface FetchItems {
  uid: number | undefined;
  flags: readonly string[] | undefined;
  internalDate: string | undefined;
  size: number | undefined;
  modseq: bigint | undefined;
  emailId: string | undefined;
  /** BODY[] as the server sent it; undefined also for NIL. */
  source: Buffer | undefined;
  /** `BODY[]<4096>`: from that byte on. */
  part: BodyPart | undefined;
}

export interface BodyPart {
  readonly bytes: Buffer;
  /** Undefined: the server did not say. */
  readonly origin: number | undefined;
}

/**
 * `text` starts after the opening parenthesis, a character for each byte (latin1); each `{n}` line end in it stands for the next
 * of `literals`.
 */
export function parseFetchItems(text: string, literals: readonly Buffer[]): FetchItems | undefined {
  const scan: Scan = { text, at: 0, literals, literalIndex: 0 };
  const items: FetchItems = {
    uid: undefined,
    flags: undefined,
    internalDate: undefined,
    size: undefined,
    modseq: undefined,
    emailId: undefined,
    source: undefined,
    part: undefined,
  };
  for (;;) {
    skipSpaces(scan);
    if (scan.at >= text.length) return undefined;
    if (text.charCodeAt(scan.at) === closeParen) return items;
    const key = readKey(scan);
    skipSpaces(scan);
    const value = readValue(scan);
    if (key === '' || value === undefined) return undefined;
    assign(items, key, value);
  }
}

interface Scan {
  readonly text: string;
  at: number;
  readonly literals: readonly Buffer[];
  literalIndex: number;
}

type Value = string | Buffer | readonly string[] | null;

const space = 32;
const quote = 34;
const openParen = 40;
const closeParen = 41;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const tilde = 126;

function skipSpaces(scan: Scan): void {
  while (scan.text.charCodeAt(scan.at) <= space) scan.at += 1;
}

/** Up to a space outside of brackets: `BODY[HEADER.FIELDS (DATE)]<0>` is one key. */
function readKey(scan: Scan): string {
  const { text } = scan;
  const start = scan.at;
  let isInside = false;
  for (; scan.at < text.length; scan.at += 1) {
    const code = text.charCodeAt(scan.at);
    if (code === openBracket) isInside = true;
    else if (code === closeBracket) isInside = false;
    else if (!isInside && (code <= space || code === openParen || code === closeParen)) break;
  }
  return text.slice(start, scan.at).toUpperCase();
}

/** Undefined: the text ends inside the value. */
function readValue(scan: Scan): Value | undefined {
  const code = scan.text.charCodeAt(scan.at);
  if (code === openParen) return readList(scan);
  if (code === quote) return readQuoted(scan);
  if (code === openBrace || (code === tilde && scan.text.charCodeAt(scan.at + 1) === openBrace))
    return readLiteral(scan);
  const atom = readAtom(scan);
  return atom === '' ? undefined : atom.toUpperCase() === 'NIL' ? null : atom;
}

function readAtom(scan: Scan): string {
  const { text } = scan;
  const start = scan.at;
  for (; scan.at < text.length; scan.at += 1) {
    const code = text.charCodeAt(scan.at);
    if (code <= space || code === openParen || code === closeParen) break;
  }
  return text.slice(start, scan.at);
}

function readQuoted(scan: Scan): string | undefined {
  const { text } = scan;
  const start = scan.at + 1;
  let hasEscapes = false;
  for (scan.at = start; scan.at < text.length; scan.at += 1) {
    const code = text.charCodeAt(scan.at);
    if (code === backslash) {
      hasEscapes = true;
      scan.at += 1;
    } else if (code === quote) {
      const inside = text.slice(start, scan.at);
      scan.at += 1;
      return hasEscapes ? inside.replace(/\\(.)/gs, '$1') : inside;
    }
  }
  return undefined;
}

/** Also a literal8 (RFC 3516 4.3): servers use it for bodies that hold NUL. */
const literalMark = /~?\{\d+\}\r?\n/y;

function readLiteral(scan: Scan): Buffer | undefined {
  literalMark.lastIndex = scan.at;
  if (!literalMark.test(scan.text)) return undefined;
  scan.at = literalMark.lastIndex;
  const literal = scan.literals[scan.literalIndex];
  scan.literalIndex += 1;
  return literal;
}

/** The atoms and strings of the list itself; lists inside it (BODYSTRUCTURE, ENVELOPE) are passed over. */
function readList(scan: Scan): readonly string[] | undefined {
  const { text } = scan;
  const entries: string[] = [];
  let depth = 0;
  while (scan.at < text.length) {
    skipSpaces(scan);
    const code = text.charCodeAt(scan.at);
    if (code === openParen || code === closeParen) {
      depth += code === openParen ? 1 : -1;
      scan.at += 1;
      if (depth === 0) return entries;
      continue;
    }
    const value = readValue(scan);
    if (value === undefined) return undefined;
    if (depth === 1 && typeof value === 'string') entries.push(value);
  }
  return undefined;
}

function assign(items: FetchItems, key: string, value: Value): void {
  if (key === 'UID') items.uid = toCount(value);
  else if (key === 'FLAGS') items.flags = Array.isArray(value) ? value.map(toUtf8) : undefined;
  else if (key === 'INTERNALDATE') items.internalDate = typeof value === 'string' ? value : undefined;
  else if (key === 'RFC822.SIZE') items.size = toCount(value);
  else if (key === 'MODSEQ') items.modseq = toModseq(value);
  else if (key === 'EMAILID' || key === 'X-GM-MSGID') items.emailId = firstText(value);
  else if (key === 'BODY[]' || key === 'RFC822') items.source = toBytes(value);
  else if (key.startsWith('BODY[]<')) items.part = toPart(toBytes(value), key);
}

const toPart = (bytes: Buffer | undefined, key: string): BodyPart | undefined =>
  bytes && { bytes, origin: toCount(key.slice('BODY[]<'.length, -1)) };

const firstText = (value: Value): string | undefined => {
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
};

const toCount = (value: Value): number | undefined =>
  typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : undefined;

/** 63 bits (RFC 7162 7). */
function toModseq(value: Value): bigint | undefined {
  const text = firstText(value);
  return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}

/** A body may come as a quoted string (RFC 9051 nstring). */
const toBytes = (value: Value): Buffer | undefined =>
  Buffer.isBuffer(value) ? value : typeof value === 'string' ? Buffer.from(value, 'latin1') : undefined;

/** As the library reads keywords, so that both readers tell the same flags. */
const toUtf8 = (text: string): string =>
  /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
