/** Delimiter lines of the multiparts that are open (RFC 2046 5.1.1): the innermost counts, white space may follow. */
import { type Allowance, treeShare } from './read-limits.ts';

export interface Delimiter {
  readonly start: number;
  /** Where the line after it begins. */
  readonly next: number;
  /** Index of its marker. */
  readonly level: number;
  readonly isLast: boolean;
}

const DASH = 45;

/** A delimiter line as Latin-1, with its two dashes. */
export const markerOf = (boundary: string): string => `--${Buffer.from(boundary).toString('latin1')}`;

/** How many lines that look like delimiters and are none pass between two looks at the clock. */
const linesBetweenLooks = 4096;

/** `from` is the start of a line; `markers` those of open multiparts, the innermost last. */
export function nextDelimiter(
  raw: Buffer,
  from: number,
  markers: readonly string[],
  allowance: Allowance,
): Delimiter | null {
  if (markers.length === 0) return null;
  let at = from;
  for (let count = 1; at < raw.length; count += 1) {
    const delimiter = delimiterAt(raw, at, markers);
    if (delimiter) return delimiter;
    const feed = raw.indexOf('\n--', at);
    if (feed === -1 || (count % linesBetweenLooks === 0 && allowance.isOver(treeShare))) return null;
    at = feed + 1;
  }
  return null;
}

/** The innermost open multipart that this line delimits. */
export function delimiterAt(raw: Buffer, start: number, markers: readonly string[]): Delimiter | null {
  if (raw[start] !== DASH || raw[start + 1] !== DASH) return null;
  for (let level = markers.length - 1; level >= 0; level -= 1) {
    const marker = markers[level] as string;
    if (raw[start + 2] !== marker.charCodeAt(2)) continue;
    const rest = restOfLine(raw, start, marker);
    if (rest !== null) return { start, next: rest.next, level, isLast: rest.isLast };
  }
  return null;
}

/** White space that transports have added after a delimiter. */
const paddingBytesMax = 64;

function restOfLine(raw: Buffer, start: number, marker: string): { next: number; isLast: boolean } | null {
  const end = start + marker.length;
  if (raw.toString('latin1', start, end) !== marker) return null;
  const match = /^(--)?[ \t]*(\r?\n|\r?$)/.exec(raw.toString('latin1', end, end + paddingBytesMax));
  if (!match || (match[2]?.endsWith('\n') !== true && end + match[0].length < raw.length)) return null;
  return { next: end + match[0].length, isLast: match[1] !== undefined };
}
