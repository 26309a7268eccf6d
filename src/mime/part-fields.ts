/**
 * What a part's header says of its content (RFC 2045, 2183, 2231), read as mailers write it: never throws, bounded, with the
 * defaults of RFC 2045 5.2 for what is missing or is none. `filename` is what the sender says: never a path to trust.
 */
import libmime from 'libmime';
import { decodeHeaderBytes } from './charset.ts';
import { cleanText, cutText } from './clean-text.ts';
import { decodeWords } from './encoded-words.ts';
import { fieldNames, type HeaderBlock, headerBlock } from './header-block.ts';
import type { Allowance } from './read-limits.ts';

export interface PartFields {
  /** `text/plain`, lower case, always with one slash. */
  readonly type: string;
  readonly charset: string | null;
  /** Of a calendar (RFC 6047 2.4): `REQUEST` makes it an invitation. */
  readonly method: string | null;
  /** Of a multipart, as Latin-1 characters. */
  readonly boundary: string | null;
  /** RFC 3676. */
  readonly isFlowed: boolean;
  readonly isDelSp: boolean;
  /** `base64`, `quoted-printable`, or anything else: the bytes as they are. */
  readonly encoding: string;
  /** `attachment`, `inline`, or another word; null: not said. */
  readonly disposition: string | null;
  readonly filename: string | null;
  /** Content-ID without brackets. */
  readonly cid: string | null;
}

const contentNames = fieldNames(['content-type', 'content-transfer-encoding', 'content-disposition', 'content-id']);
/** File systems take 255 bytes; a longer name is cut. */
const filenameCharsMax = 255;
const tokenCharsMax = 100;

export function readPartFields(header: Buffer, defaultType: string, allowance: Allowance): PartFields {
  const block = headerBlock(header, contentNames);
  const value = (name: string): string => fieldValue(block, name, allowance);
  const type = parse(value('content-type'));
  const disposition = parse(value('content-disposition'));
  const filename = filenameOf(disposition.params.filename ?? type.params.name);
  const isFile = filename !== null || disposition.value === 'attachment';
  return {
    type: typeOf(type.value, isFile ? 'application/octet-stream' : defaultType),
    charset: type.params.charset?.trim() || null,
    method: type.params.method?.trim() || null,
    boundary: type.value.startsWith('multipart/') ? type.params.boundary?.trimEnd() || null : null,
    isFlowed: type.params.format?.toLowerCase() === 'flowed',
    isDelSp: type.params.delsp?.toLowerCase() === 'yes',
    encoding: /[\w-]+/.exec(value('content-transfer-encoding').toLowerCase())?.[0] ?? '',
    disposition: disposition.value === '' ? null : cutText(cleanText(disposition.value), tokenCharsMax),
    filename,
    cid: cidOf(value('content-id')),
  };
}

function fieldValue(block: HeaderBlock, name: string, { limits, met }: Allowance): string {
  const bytes = block.field(name);
  if (bytes === undefined) return '';
  if (bytes.length > limits.fieldBytesMax) met.add('header');
  return decodeHeaderBytes(bytes.subarray(0, limits.fieldBytesMax), null);
}

interface Structured {
  readonly value: string;
  readonly params: Readonly<Partial<Record<string, string>>>;
}

/** Nine in ten: a type, and at most one plain parameter. A tenth of the parser's time. */
const plain = /^\s*([\w.+-]+(?:\/[\w.+-]+)?)\s*(?:;\s*([\w-]+)=(?:"([^"\\]*)"|([^\s;"'*()]+))\s*)?;?\s*$/;

function parse(value: string): Structured {
  const match = plain.exec(value);
  if (match) {
    const params = match[2] === undefined ? {} : { [match[2].toLowerCase()]: match[3] ?? match[4] ?? '' };
    return { value: (match[1] ?? '').toLowerCase(), params };
  }
  if (value === '') return { value: '', params: {} };
  try {
    const parsed = libmime.parseHeaderValue(value);
    return { value: String(parsed.value).trim().toLowerCase(), params: parsed.params };
  } catch {
    return { value: /^[^;\s]*/.exec(value)?.[0].toLowerCase() ?? '', params: {} }; // not to be parsed: the first word counts
  }
}

/** RFC 2045 5.2: what is no type is plain text; a type that nobody can read is bytes. */
function typeOf(value: string, missing: string): string {
  if (/^[\w.+-]+\/[\w.+-]+$/.test(value)) return cutText(value, tokenCharsMax);
  if (value === '') return missing;
  return value.startsWith('text') ? 'text/plain' : 'application/octet-stream';
}

function filenameOf(value: string | undefined): string | null {
  const name = cutText(
    cleanText(decodeWords(value ?? ''))
      .replace(/\s+/g, ' ')
      .trim(),
    filenameCharsMax,
  );
  return name === '' ? null : name;
}

function cidOf(value: string): string | null {
  const cid = cutText(cleanText(value).trim().replace(/^<|>$/g, ''), filenameCharsMax);
  return cid === '' ? null : cid;
}
