/**
 * How folder names travel, and the paths that we know them by: modified UTF-7 (RFC 3501 5.1.3), or UTF-8 where the session is in it
 * (RFC 6855, RFC 9051). Our own reading: the library's loses U+FEFF and what follows a bare `&`. Pure.
 */
export type NameEncoding = 'utf-7' | 'utf-8';

export interface ListedName {
  readonly listed: string;
  readonly delimiter: string | null;
}

/** ASCII only: `ı` is an I in capitals, and another folder. */
export const isInbox = (name: string): boolean => /^inbox$/i.test(name);

/** The one spelling that the RFC allows; servers list others too. */
export const encodeName = (path: string, encoding: NameEncoding): string =>
  encoding === 'utf-8' ? path : toModifiedUtf7(path);

const toModifiedUtf7 = (path: string): string =>
  path.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${toBase64(run)}-`));

/** UTF-16BE, without padding, and `,` for `/`. */
const toBase64 = (run: string): string =>
  Buffer.from(run, 'utf16le').swap16().toString('base64').replace(/=+$/, '').replaceAll('/', ',');

/** Null: not modified UTF-7, or nothing that a text column may hold (NUL, half a surrogate pair). */
export function decodeName(listed: string, encoding: NameEncoding): string | null {
  const path = encoding === 'utf-8' ? listed : fromModifiedUtf7(listed);
  return path === null || path.includes('\0') || !path.isWellFormed() ? null : path;
}

function fromModifiedUtf7(listed: string): string | null {
  const [before = '', ...pieces] = listed.split('&');
  let path = before;
  for (const piece of pieces) {
    const end = piece.indexOf('-');
    const run = end < 0 ? null : fromBase64(piece.slice(0, end));
    if (run === null) return null;
    path += run + piece.slice(end + 1);
  }
  return path;
}

function fromBase64(run: string): string | null {
  if (run === '') return '&';
  const unitCount = Math.floor((run.length * 6) / 16);
  if (!/^[A-Za-z0-9+,]+$/.test(run) || run.length !== Math.ceil((unitCount * 16) / 6)) return null;
  const bytes = Buffer.from(run.replaceAll(',', '/'), 'base64').subarray(0, unitCount * 2);
  return bytes.swap16().toString('utf16le');
}

/**
 * Listed → path. INBOX is one folder in any case (RFC 9051 5.1); all others get paths of their own, whatever the order that they are
 * listed in: first those in the usual spelling, then the rest, which go by the name that was listed where their path is taken.
 */
export function pathsOf(names: readonly ListedName[], encoding: NameEncoding): Map<string, string> {
  const paths = new Map<string, string>();
  const odd: [listed: string, path: string][] = [];
  for (const { listed, delimiter } of names) {
    const path = wishedPath(listed, delimiter, encoding);
    if (encodeName(path, encoding) === listed || isInbox(withoutDelimiter(listed, delimiter))) paths.set(listed, path);
    else odd.push([listed, path]);
  }
  const taken = new Set(paths.values());
  for (const [listed, wished] of odd.sort(byListed)) {
    if (paths.has(listed)) continue;
    const path = freePath(taken, wished, listed);
    paths.set(listed, path);
    taken.add(path);
  }
  return paths;
}

function wishedPath(listed: string, delimiter: string | null, encoding: NameEncoding): string {
  const path = withoutDelimiter(decodeName(listed, encoding) ?? storable(listed), delimiter);
  return isInbox(path) ? 'INBOX' : path;
}

/** Some servers put it in front. */
const withoutDelimiter = (name: string, delimiter: string | null): string =>
  delimiter && name.startsWith(delimiter) ? name.slice(delimiter.length) : name;

const storable = (listed: string): string => (/\0/.test(listed) ? toModifiedUtf7(listed) : listed);

function freePath(taken: ReadonlySet<string>, wished: string, listed: string): string {
  if (!taken.has(wished)) return wished;
  let path = storable(listed);
  while (taken.has(path)) path = `&${path}`;
  return path;
}

const byListed = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : 1);
