/**
 * What a full-text index of words does not see by itself, in and out of it alike: scripts without spaces between words, letters
 * that are no letter with an accent (ł, ß, ø), accents and vowel points beyond Latin (ά, أ), compatibility forms (ﬁ, Ａ). Pure;
 * every store that indexes mail uses these rules, for what it indexes and for what is asked of it.
 */

/**
 * Scripts whose words have no spaces between them: each character counts as a word, so that any run of them is found as a
 * phrase. Hangul has spaces, but its particles grow onto the words.
 */
const unspaced =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Script=Tibetan}\u30fc\uff70';
const unspacedCharacter = new RegExp(`[${unspaced}]`, 'u');
const unspacedCharacters = new RegExp(`[${unspaced}]`, 'gu');

/**
 * Letters that Unicode does not take apart, as they are typed where there is no such key; ё as nearly everybody types it (й is a
 * letter of its own); ς, which is σ at a word's end and in no capitals.
 */
const plainLetters: Readonly<Record<string, string>> = {
  ł: 'l',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ı: 'i',
  ŧ: 't',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  ё: 'е',
  ς: 'σ',
};
const letters = Object.keys(plainLetters).join('');
const foldable = new RegExp(`[${letters}]`, 'g');
/** Greek with tonos and breathings, points of Hebrew, hamza, vowel signs and tatweel of Arabic: FTS5 takes accents off Latin only. */
const accented =
  '\u0386\u0388-\u038a\u038c\u038e-\u0390\u03aa-\u03b0\u03ca-\u03ce\u1f00-\u1fff\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0622-\u0626\u0640\u064b-\u065f\u0670';
const accents = new RegExp(`[${accented}]`, 'g');
/** Ligatures, and letters and digits of full and half width. */
const compatibility = '\ufb00-\ufb06\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f';
const compatible = new RegExp(`[${unspaced}${compatibility}]`, 'u');
/** What makes a word worth a second entry; capitals too. */
const specialLetters = `[${unspaced}${letters}ŁØĐÐĦŦẞÆŒÞЁ${accented}${compatibility}]`;
const special = new RegExp(specialLetters, 'gu');
const hasSpecial = new RegExp(specialLetters, 'u');

const wordCharacter = /[\p{L}\p{N}\p{M}\p{Co}]/u;
const words = /[\p{L}\p{N}\p{M}\p{Co}]+/gu;
const nonAscii = /[^\u0000-\u007f]/;

/** `東京JR` → `東 京 JR`: what stands between spaces is a word of its own. */
export function separateCharacters(text: string): string {
  return text.replace(unspacedCharacters, ' $& ').replace(/\s+/g, ' ').trim();
}

const separated = new RegExp(`([${unspaced}]»?) (?=«?[${unspaced}])`, 'gu');

/** The other way, for showing what was found; « and » mark it. */
export function joinCharacters(text: string): string {
  return text.replace(separated, '$1').replaceAll('»«', '');
}

const withoutAccent = (letter: string): string => letter.normalize('NFD').replace(/[\p{M}\u0640]/gu, '');

/** Half-width and other compatibility forms are made whole before characters are told apart; Latin accents are the index's own affair. */
function secondForm(word: string): string {
  const lower = word.toLowerCase().replace(accents, withoutAccent);
  const folded = lower.replace(foldable, (letter) => plainLetters[letter] ?? letter);
  if (!compatible.test(folded)) return folded;
  const whole = folded.normalize('NFKC').toLowerCase();
  return unspacedCharacter.test(whole) ? separateCharacters(whole) : whole;
}

/** How a word of a search is written in `furtherWords`; null: the word itself says it all. */
export function furtherForm(word: string): string | null {
  return (hasSpecial.test(word) && secondForm(word)) || null;
}

/** A word longer than this is cut: nobody searches for it. */
const wordCharsMax = 64;
/** A run of an unspaced script is handed on in pieces of this many characters. */
const runCharsMax = 4096;

/** The second forms of those words of `text` that have one, separated by spaces; empty for nearly all Western mail. */
export function furtherWords(text: string): string {
  if (!nonAscii.test(text)) return '';
  const found: string[] = [];
  let end = 0;
  for (const match of text.matchAll(special)) {
    if (match.index < end) continue;
    const word = wordAround(text, match.index, end);
    end = word.end;
    found.push(secondForm(text.slice(word.start, word.end)));
  }
  return found.filter((form) => form !== '').join(' ');
}

function wordAround(text: string, at: number, from: number): { readonly start: number; readonly end: number } {
  let start = at;
  while (start > from && at - start < wordCharsMax && isWordAt(text, start - 1)) start -= 1;
  let end = at + 1;
  while (end < text.length && end - at < runCharsMax && isWordAt(text, end)) end += 1;
  return { start, end };
}

/** Either half of a surrogate pair counts: letters beyond the BMP are letters. */
const isWordAt = (text: string, at: number): boolean =>
  /[\ud800-\udfff]/.test(text.charAt(at)) || wordCharacter.test(text.charAt(at));

/** The words of `text` that `known` does not have, each once: for an HTML body beside its plain text. */
export function wordsBeyond(text: string, known: string): string {
  const lines = linesBeyond(text, known);
  if (lines.length === 0) return '';
  const seen = new Set(wordsOf(known));
  const beyond: string[] = [];
  for (const word of lines.flatMap(wordsOf)) {
    if (seen.has(word)) continue;
    seen.add(word);
    beyond.push(word);
  }
  return beyond.join(' ');
}

/** Both forms of a letter say the same in the same order: a line is looked for near the one before. */
const nearChars = 8192;
/** Then the two are different texts, and looking costs more than it saves. */
const missesMax = 200;

/** Lines of `text` that do not stand in `known`; a quick look that spares most mails the slow one. */
function linesBeyond(text: string, known: string): string[] {
  const run = known.replace(/\s{2,}|[^\S ]/g, ' ');
  let at = 0;
  let misses = 0;
  return text.split('\n').filter((line) => {
    const found = misses < missesMax ? run.slice(at, at + nearChars).indexOf(line) : -1;
    const isWhole = found !== -1 && !isWordAt(run, at + found - 1) && !isWordAt(run, at + found + line.length);
    if (isWhole) at += found + line.length;
    else misses += 1;
    return !isWhole;
  });
}

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(words) ?? [];

/** The words of a line that somebody typed. */
export const typedWords = (text: string): readonly string[] => text.match(words) ?? [];
