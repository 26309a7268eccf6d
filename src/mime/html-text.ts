/**
 * The words of an HTML body, for lists, search and programs that want text. Not for showing HTML, and no sanitiser. Linear in
 * the input whatever it is: htmlparser2's tokenizer builds no tree, so unclosed elements cost nothing.
 */
import { decodeHTML } from 'entities';
import { Tokenizer } from 'htmlparser2';
import { cleanText } from './clean-text.ts';

const unread: ReadonlySet<string> = new Set(['script', 'style', 'title', 'template', 'head']);
const blocks: ReadonlySet<string> = new Set(
  'address article blockquote br dd div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr li main ol p pre section table tr ul'.split(
    ' ',
  ),
);
/** Stands in no text: control characters are taken out before. */
const lineBreak = '\u0001';
const breaks = / ?\u0001[ \u0001]*/g;
const cells: ReadonlySet<string> = new Set(['td', 'th', 'option']);

interface Reading {
  readonly html: string;
  readonly pieces: string[];
  /** The element whose text is passed over, as long as it is open. */
  skipped: string | null;
}

export function htmlToText(html: string): string {
  const reading: Reading = { html, pieces: [], skipped: null };
  const tokenizer = new Tokenizer({ xmlMode: false, decodeEntities: false }, callbacksOf(reading));
  tokenizer.write(html);
  tokenizer.end();
  return cleanText(tidy(reading.pieces.join('')));
}

const nothing = (): void => undefined;

function callbacksOf(reading: Reading): ConstructorParameters<typeof Tokenizer>[1] {
  const name = (start: number, end: number): string => reading.html.slice(start, end).toLowerCase();
  return {
    ontext: (start, end) => readText(reading, start, end),
    ontextentity: nothing,
    onopentagname: (start, end) => openTag(reading, name(start, end)),
    onclosetag: (start, end) => closeTag(reading, name(start, end)),
    onattribdata: nothing,
    onattribentity: nothing,
    onattribend: nothing,
    onattribname: nothing,
    oncdata: nothing,
    oncomment: nothing,
    ondeclaration: nothing,
    onend: nothing,
    onopentagend: nothing,
    onprocessinginstruction: nothing,
    onselfclosingtag: nothing,
  };
}

/** The tokenizer leaves entities alone: between them it passes over text in a third of the time. */
function readText({ html, pieces, skipped }: Reading, start: number, end: number): void {
  if (skipped !== null) return;
  const text = html.slice(start, end);
  pieces.push(text.includes('&') ? decodeHTML(text) : text);
}

/** `body` ends a head that nobody closed. */
function openTag(reading: Reading, name: string): void {
  if (name === 'body') reading.skipped = null;
  if (reading.skipped !== null) return;
  if (unread.has(name)) reading.skipped = name;
  else breakAt(reading, name);
}

function closeTag(reading: Reading, name: string): void {
  if (reading.skipped === name) reading.skipped = null;
  else if (reading.skipped === null) breakAt(reading, name);
}

function breakAt({ pieces }: Reading, name: string): void {
  if (blocks.has(name)) pieces.push(lineBreak);
  else if (cells.has(name)) pieces.push(' ');
}

/** White space of the source is one space, any number of breaks one line end. Single spaces, nearly all, are left alone. */
const tidy = (text: string): string =>
  text
    .replace(/\s{2,}|[^\S ]/g, ' ')
    .replace(breaks, '\n')
    .trim();
