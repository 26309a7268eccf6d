/**
 * Finds header fields in raw bytes without decoding them; bounded on hostile input. Of a field that stands there twice the first
 * counts; lists of recipients are put together.
 */

/** A header block beyond this is not searched: 1 MiB is ten times what Postfix lets pass (header_size_limit 102,400). */
const blockBytesMax = 1024 * 1024;
const fieldBytesMax = 256 * 1024;

export interface HeaderBlock {
  /** Unfolded value bytes of the field of this lower-case name. */
  field(name: string): Buffer | undefined;
  /** Of the Content-Type field, for 8-bit bytes in headers that say nothing themselves. */
  readonly charset: string | null;
}

/** Fields that are kept; most others are told from them by their first letter. */
export interface FieldNames {
  readonly names: ReadonlySet<string>;
  readonly initials: ReadonlySet<number>;
}

/** In lower case. */
export const fieldNames = (names: readonly string[]): FieldNames => ({
  names: new Set(names),
  initials: new Set(names.map((name) => name.charCodeAt(0))),
});

/** What a list of mails shows. */
const listNames = fieldNames([
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

/** RFC 5322 4.5.3: all that there are, as one list. */
const recipientNames: ReadonlySet<string> = new Set(['to', 'cc']);
/** More of one name are an attack: 100,000 fields make a list that takes a second. */
const repeatsMax = 1000;

/** Longest name that anybody asks for is `content-transfer-encoding`. */
const nameBytesMax = 26;

export function headerBlock(raw: Buffer, names: FieldNames = listNames): HeaderBlock {
  const fields = scan(raw, names);
  const contentType = fields.get('content-type')?.[0]?.toString('latin1') ?? '';
  return {
    field: (name) => joined(fields.get(name)),
    charset: /charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1] ?? null,
  };
}

/** More than one are lists. */
const joined = (values: readonly Buffer[] = []): Buffer | undefined =>
  values.length < 2 ? values[0] : Buffer.concat(values.flatMap((value) => [value, comma])).subarray(0, -comma.length);
const comma = Buffer.from(', ');

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
/** Of an ASCII letter. */
const lowerCaseBit = 32;

function scan(raw: Buffer, names: FieldNames): Map<string, Buffer[]> {
  const fields = new Map<string, Buffer[]>();
  const end = Math.min(raw.length, blockBytesMax);
  let start = 0;
  while (start < end) {
    const fieldEnd = endOfField(raw, start, end);
    if (isEmptyLine(raw, start)) break;
    keep(fields, names, raw.subarray(start, fieldEnd));
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

/** A colon further away than any name is long belongs to a field that nobody asks for. */
function keep(fields: Map<string, Buffer[]>, { names, initials }: FieldNames, field: Buffer): void {
  if (!initials.has((field[0] ?? 0) | lowerCaseBit)) return;
  const colon = field.subarray(0, nameBytesMax).indexOf(COLON);
  if (colon === -1) return;
  const name = field.toString('latin1', 0, colon).trim().toLowerCase();
  if (!names.has(name)) return;
  const before = fields.get(name);
  if (before !== undefined && !(recipientNames.has(name) && before.length < repeatsMax)) return;
  const value = unfold(field.subarray(colon + 1, fieldBytesMax));
  if (before === undefined) fields.set(name, [value]);
  else before.push(value);
}

function unfold(value: Buffer): Buffer {
  if (!value.includes(LF)) return value;
  return Buffer.from(value.toString('latin1').replace(/\r?\n(?=[ \t])/g, ''), 'latin1');
}
