/** Finds header fields in raw bytes without decoding them. First occurrence wins; bounded on hostile input. */

/** A header block beyond this is not searched: 1 MiB is ten times what Postfix lets pass (header_size_limit 102,400). */
const blockBytesMax = 1024 * 1024;
const fieldBytesMax = 256 * 1024;

export interface HeaderBlock {
  /** Unfolded value bytes of the first field of this lower-case name. */
  field(name: string): Buffer | undefined;
  /** Of the Content-Type field, for 8-bit bytes in headers that say nothing themselves. */
  readonly charset: string | null;
}

const wanted = new Set([
  'message-id',
  'in-reply-to',
  'references',
  'subject',
  'from',
  'to',
  'cc',
  'date',
  'content-type',
]);

export function headerBlock(raw: Buffer): HeaderBlock {
  const fields = scan(raw);
  const contentType = fields.get('content-type')?.toString('latin1') ?? '';
  return { field: (name) => fields.get(name), charset: /charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1] ?? null };
}

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;
const COLON = 58;

function scan(raw: Buffer): Map<string, Buffer> {
  const fields = new Map<string, Buffer>();
  const end = Math.min(raw.length, blockBytesMax);
  let start = 0;
  while (start < end) {
    const fieldEnd = endOfField(raw, start, end);
    if (isEmptyLine(raw, start)) break;
    keep(fields, raw, start, fieldEnd);
    start = fieldEnd;
  }
  return fields;
}

const isEmptyLine = (raw: Buffer, at: number): boolean => raw[at] === LF || (raw[at] === CR && raw[at + 1] === LF);

/** After the line feed that no white space follows (folding, RFC 5322 2.2.3). */
function endOfField(raw: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const feed = raw.indexOf(LF, at);
    if (feed === -1 || feed >= end) return end;
    at = feed + 1;
    if (feed === start || (raw[at] !== SPACE && raw[at] !== TAB)) return at;
  }
  return end;
}

/** Longest name we want is `in-reply-to`: a colon further away belongs to a field we do not. */
function keep(fields: Map<string, Buffer>, raw: Buffer, start: number, end: number): void {
  const colon = raw.subarray(start, Math.min(end, start + 16)).indexOf(COLON);
  if (colon === -1) return;
  const name = raw
    .toString('latin1', start, start + colon)
    .trim()
    .toLowerCase();
  if (wanted.has(name) && !fields.has(name))
    fields.set(name, unfold(raw.subarray(start + colon + 1, Math.min(end, start + fieldBytesMax))));
}

function unfold(value: Buffer): Buffer {
  if (!value.includes(LF)) return value;
  return Buffer.from(value.toString('latin1').replace(/\r?\n(?=[ \t])/g, ''), 'latin1');
}
