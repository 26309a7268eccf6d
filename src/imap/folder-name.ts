/** How folder names travel: modified UTF-7 (RFC 3501 5.1.3). Pure. */

/** The one spelling that the RFC allows; servers list others too. */
export function toModifiedUtf7(path: string): string {
  return path.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${toBase64(run)}-`));
}

/** UTF-16BE, without padding, and `,` for `/`. */
const toBase64 = (run: string): string =>
  Buffer.from(run, 'utf16le').swap16().toString('base64').replace(/=+$/, '').replaceAll('/', ',');

/**
 * A name that the library would not send back as it was listed: line ends and tabs, and every spelling but the usual one
 * (`&AGE-` for `a`, a bare `&`, a leading delimiter, UTF-8).
 */
export const needsWireName = (path: string, listed: string): boolean =>
  /[\t\r\n\0]/.test(path) || toModifiedUtf7(path) !== listed;
