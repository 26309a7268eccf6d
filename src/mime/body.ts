/** Puts the body of a mail together from its text parts. */
import { isHtml } from './body-parts.ts';
import type { Part } from './part-tree.ts';
import type { TextReader } from './text-part.ts';

export interface Body {
  readonly text: string | null;
  readonly html: string | null;
  /** Text of the HTML, where there is a plain text beside it. */
  readonly htmlText: string;
}

/** Each alternative gives its plain text to the text, and its HTML to the HTML; a part that is only one of them gives to both. */
export function readBody(reader: TextReader, body: readonly Part[]): Body {
  const hasHtml = body.some(isHtml);
  const texts: string[] = [];
  const htmls: string[] = [];
  const htmlTexts: string[] = [];
  for (const part of body) {
    const other = otherForm(body, part);
    if (!isHtml(part)) {
      const text = reader.plain(part);
      texts.push(text);
      if (hasHtml && !other) htmls.push(asHtml(text));
      continue;
    }
    const html = reader.html(part);
    htmls.push(html);
    (other ? htmlTexts : texts).push(reader.textOf(html));
  }
  return { text: joined(texts), html: hasHtml ? joined(htmls) : null, htmlText: htmlTexts.join('\n') };
}

/** The same words in the other form: of the nearest alternative around it. */
function otherForm(body: readonly Part[], part: Part): boolean {
  const alternative = alternativeAround(part);
  return alternative !== null && body.some((other) => isHtml(other) !== isHtml(part) && isIn(other, alternative));
}

function alternativeAround(part: Part): Part | null {
  for (let at = part.parent; at !== null; at = at.parent) if (at.fields.type === 'multipart/alternative') return at;
  return null;
}

function isIn(part: Part, around: Part): boolean {
  for (let at = part.parent; at !== null; at = at.parent) if (at === around) return true;
  return false;
}

const joined = (texts: readonly string[]): string | null => {
  const filled = texts.filter((text) => text.trim() !== '');
  return filled.length === 0 ? null : filled.join('\n');
};

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const asHtml = (text: string): string =>
  text.trim() === ''
    ? ''
    : `<div style="white-space: pre-wrap">${text.replace(/[&<>]/g, (character) => escapes[character] ?? '')}</div>`;
