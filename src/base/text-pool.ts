/** Equal texts as one: a million rows have a few dozen sets of flags, and each row's own copy would be most of the memory. */

/** Beyond so many the texts are not alike, and pooling them would only cost. */
const textCountMax = 10_000;

/** Gives the first text that was equal to `text`. */
export function createTextPool(): (text: string) => string {
  const texts = new Map<string, string>();
  return (text) => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    if (texts.size < textCountMax) texts.set(text, text);
    return text;
  };
}
