/**
 * Reads a whole mail: text, HTML, preview, parts, and what search shall find. Never throws for what a mail contains, is bounded by
 * read-limits.ts in time and memory, and gives valid Unicode without NUL. What a limit cut off is named in `met`; what was read
 * before it stands.
 */
import { furtherWords, wordsBeyond } from '../base/search-words.ts';
import { readBody } from './body.ts';
import { isAttachment, sortParts } from './body-parts.ts';
import { cleanText, cutText } from './clean-text.ts';
import { isHeaderCut, readHeaderFields } from './header-fields.ts';
import { isMessage, type Part, readPartTree } from './part-tree.ts';
import { previewOf } from './preview.ts';
import { type Allowance, createAllowance, type LimitName, type ReadLimits, readLimits } from './read-limits.ts';
import { createTextReader } from './text-part.ts';
import { decodedSize } from './transfer-encoding.ts';

export interface ListedPart {
  readonly part: string;
  readonly filename: string | null;
  readonly contentType: string;
  /** Bytes when decoded. */
  readonly size: number;
  readonly disposition: string | null;
  readonly cid: string | null;
}

export interface ReadMessage {
  /** Null: the mail has no readable body. HTML bodies without a plain one are given as text. */
  readonly text: string | null;
  readonly html: string | null;
  readonly preview: string | null;
  readonly hasAttachments: boolean;
  readonly parts: readonly ListedPart[];
  /** File names, one a line. */
  readonly filenames: string;
  /** For the search index, beside `text` and `filenames`. */
  readonly words: string;
  readonly met: readonly LimitName[];
}

/** `headerText`: decoded header fields that search shall find as well. */
export function readMessage(raw: Buffer, headerText = '', limits: ReadLimits = readLimits): ReadMessage {
  const allowance = createAllowance(limits);
  if (isHeaderCut(raw)) allowance.met.add('header');
  const { body, listed, searched } = sortParts(readPartTree(raw, allowance));
  const reader = createTextReader(raw, allowance);
  const { text, html, htmlText } = readBody(reader, body);
  const further = [...nestedHeaders(raw, listed, allowance), ...searched.map((part) => reader.plain(part))].join('\n');
  const parts = listed.map((part) => toListed(raw, part));
  const filenames = parts.flatMap(({ filename }) => filename ?? []).join('\n');
  return {
    text,
    html,
    preview: text === null ? null : previewOf(text),
    hasAttachments: listed.some(isAttachment),
    parts,
    filenames,
    words: wordsOf({ text: text ?? '', htmlText, further, names: `${headerText}\n${filenames}` }, limits.textCharsMax),
    met: [...allowance.met],
  };
}

/** A digest of more messages than this is found by its texts. */
const nestedHeadersMax = 100;

/** Subject and sender of each message inside, as search shall find them. */
function nestedHeaders(raw: Buffer, listed: readonly Part[], allowance: Allowance): string[] {
  const roots = listed.filter(({ fields }) => isMessage(fields)).flatMap(({ children }) => children);
  return roots.slice(0, nestedHeadersMax).map(({ headerStart, bodyStart }) => {
    if (allowance.isOver()) return '';
    const { subject, from } = readHeaderFields(raw.subarray(headerStart, bodyStart));
    return [subject ?? '', ...from.flatMap(({ name, address }) => [name, address])].join(' ').trim();
  });
}

const toListed = (raw: Buffer, part: Part): ListedPart => ({
  part: part.number,
  filename: part.fields.filename,
  contentType: part.fields.type,
  size: decodedSize(raw, part),
  disposition: part.fields.disposition,
  cid: part.fields.cid,
});

interface Sources {
  readonly text: string;
  readonly htmlText: string;
  readonly further: string;
  readonly names: string;
}

/** What the index of words would not find by itself: see base/search-words.ts. */
function wordsOf({ text, htmlText, further, names }: Sources, charsMax: number): string {
  const beyond = htmlText === '' ? '' : wordsBeyond(htmlText, text);
  const own = [beyond, further].filter((part) => part !== '').join('\n');
  const second = [names, text, own].map(furtherWords).filter((part) => part !== '');
  return cutText(cleanText([own, ...second].filter((part) => part !== '').join('\n')), charsMax);
}
