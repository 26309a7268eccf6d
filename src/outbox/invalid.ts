/** What makes an entry bad: one line that names the column, for `last_error`. It never holds up the others. */
import { EngineError } from '../base/errors.ts';

const shownCharsMax = 100;

export function invalid(column: string, why: string): EngineError {
  return new EngineError('outbox_invalid', `${column}: ${why}`);
}

/** A foreign value inside such a line: quoted, cut, control characters escaped. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text;
}

/** C0, DEL, C1 and the two separators that some programs take for line ends. */
export const hasControl = (text: string): boolean => /[\p{Cc}\u2028\u2029]/u.test(text);
