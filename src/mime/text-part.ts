/** Text parts as text: transfer encoding, charset and RFC 3676 undone, within what one mail may cost. */
import libmime from 'libmime';
import { isHtml } from './body-parts.ts';
import { decodeBytes } from './charset.ts';
import { cleanText, cutText } from './clean-text.ts';
import { htmlToText } from './html-text.ts';
import type { Part } from './part-tree.ts';
import type { Allowance } from './read-limits.ts';
import { decodeBody, hasMoreThan } from './transfer-encoding.ts';

export interface TextReader {
  /** Lines end with a line feed; an HTML part is given as its text. */
  plain(part: Part): string;
  html(part: Part): string;
  /** The text of an HTML body that was read before. */
  textOf(html: string): string;
}

export function createTextReader(raw: Buffer, allowance: Allowance): TextReader {
  const { limits, met } = allowance;
  const left = { decoded: limits.decodedBytesMax, text: limits.textCharsMax, html: limits.htmlCharsMax };

  /** Not more of it than could give the characters that are left: four bytes are the most that one takes, but for odd encodings. */
  const decoded = (part: Part, kind: 'text' | 'html'): string => {
    if (allowance.isOver()) return '';
    const bytesMax = Math.min(left.decoded, left[kind] * 4 + 4);
    const bytes = decodeBody(raw, part, bytesMax);
    if (hasMoreThan(part, bytesMax)) met.add(bytesMax === left.decoded ? 'decoded' : kind);
    left.decoded -= bytes.length;
    if (left.decoded <= 0) met.add('decoded');
    return cleanText(decodeBytes(bytes, part.fields.charset ?? (isHtml(part) ? metaCharset(bytes) : null)));
  };
  const within = (kind: 'text' | 'html', text: string): string => {
    if (text.length > left[kind]) met.add(kind);
    const cut = cutText(text, left[kind]);
    left[kind] -= cut.length;
    return cut;
  };
  const html = (part: Part): string => within('html', decoded(part, 'html'));
  const textOf = (given: string): string => within('text', htmlToText(given));
  const plain = (part: Part): string =>
    isHtml(part) ? textOf(html(part)) : within('text', linesOf(part, decoded(part, 'text')));
  return { plain, html, textOf };
}

function linesOf({ fields }: Part, text: string): string {
  const lines = text.replace(/\r\n?/g, '\n');
  return fields.isFlowed ? libmime.decodeFlowed(lines, fields.isDelSp) : lines;
}

/** Where the mail names none; the first kilobyte, as browsers do. */
function metaCharset(bytes: Buffer): string | null {
  return /<meta[^>]{1,200}charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(bytes.toString('latin1', 0, 1024))?.[1] ?? null;
}
