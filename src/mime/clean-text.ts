/** Text as a SQL column takes it: well-formed Unicode, no NUL, no other control characters but tab and line feed. Pure. */

const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
const hasSurrogate = /[\ud800-\udfff]/;

export function cleanText(text: string): string {
  return (hasSurrogate.test(text) ? text.toWellFormed() : text).replace(controls, '');
}

/** At most `max` UTF-16 units, never half a character. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const isPair = /[\ud800-\udbff]/.test(text.charAt(max - 1));
  return text.slice(0, isPair ? max - 1 : max);
}
