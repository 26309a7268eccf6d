/** The first words of a mail, for a list. Pure. */
import { cutText } from './clean-text.ts';

const previewCharsMax = 200;
/** More than this much quoted text before the first own word is no preview's business; a sixteenth of it is nearly always enough. */
const lookedAtChars = 16 * 1024;

/** Own words before quoted ones; null when there are none. */
export function previewOf(text: string): string | null {
  const near = ownWords(text.slice(0, lookedAtChars / 16));
  const own = near.length >= previewCharsMax ? near : ownWords(text.slice(0, lookedAtChars));
  const shown = own === '' ? squeeze(text.slice(0, lookedAtChars)) : own;
  return shown === '' ? null : cutText(shown, previewCharsMax);
}

const ownWords = (text: string): string => squeeze(text.replace(/^[ \t]*>.*$/gm, ''));

/** White space, and what newsletters fill previews with so that nothing else shows: soft hyphens, zero-width characters. */
const fillers = /(?:[\s\u00ad\u200b\u200c\u200e\u200f\ufeff]|\u034f)+/g;

const squeeze = (text: string): string => text.replace(fillers, ' ').trim();
