/**
 * What somebody typed, as an FTS5 expression. Pure. Everything typed is quoted, so no character of it is syntax; each word is
 * looked for as it stands and in its second form (base/search-words.ts).
 */
import { furtherForm, typedWords } from '../../base/search-words.ts';

/** FTS5 refuses expressions 256 deep; nobody types more than this. */
const termCountMax = 32;
const charsMax = 1000;

interface Term {
  readonly text: string;
  readonly isPrefix: boolean;
  readonly isExcluded: boolean;
}

/** Null: no word to look for. `column`: only there. */
export function toMatch(typed: string, column?: string): string | null {
  const terms = termsOf(typed);
  const wanted = terms.filter(({ isExcluded }) => !isExcluded).map(expressionOf);
  const excluded = terms.filter(({ isExcluded }) => isExcluded).map(expressionOf);
  if (wanted.length === 0) return null;
  const all = wanted.length === 1 ? wanted.join('') : `(${wanted.join(' AND ')})`;
  const expression = excluded.length === 0 ? all : `(${all} NOT (${excluded.join(' OR ')}))`;
  return column === undefined ? expression : `${column} : (${expression})`;
}

/** `-"a phrase"`, `"a phrase"`, `-word`, `begin*`, `word`. */
const termForm = /(-?)(?:"([^"]*)"?|([^\s"]+))/g;

function termsOf(typed: string): Term[] {
  const text = typed
    .slice(0, charsMax)
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f]/g, ' ');
  const terms = [...text.matchAll(termForm)].map(([, minus, phrase, word = '']) => ({
    text: phrase ?? word.replace(/\*+$/, ''),
    isPrefix: phrase === undefined && word.endsWith('*'),
    isExcluded: minus === '-',
  }));
  return terms.filter(({ text: term }) => typedWords(term).length > 0).slice(0, termCountMax);
}

function expressionOf({ text, isPrefix }: Term): string {
  const star = isPrefix ? ' *' : '';
  const plain = `${quote(text)}${star}`;
  const further = furtherOf(typedWords(text));
  return further === null ? plain : `(${plain} OR ${quote(further)}${star})`;
}

/** Second forms lie beside each other only where all words of a phrase have one. */
function furtherOf(words: readonly string[]): string | null {
  const forms = words.map(furtherForm);
  return forms.every((form) => form !== null) ? forms.join(' ') : null;
}

const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
