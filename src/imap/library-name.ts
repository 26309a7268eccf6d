/**
 * Keeps the library from spelling folder names: it would put them into a modified UTF-7 of its own, leave 0x7f as it is, and take
 * some for INBOX. It is given each name as it goes over the wire, in hexadecimal, which it leaves alone; that is turned back when
 * the command goes out (corrections.ts).
 */
import type { ImapFlow } from 'imapflow';
import { encodeName, type NameEncoding } from './folder-name.ts';

/** Names that were not listed in the usual spelling of their path: path → as listed. */
export type WireNames = Map<string, string>;

export function encodingOf({ enabled, capabilities }: ImapFlow): NameEncoding {
  const isUtf8 = enabled.has('UTF8=ACCEPT') || enabled.has('IMAP4REV2');
  return isUtf8 || (capabilities.has('IMAP4rev2') && !capabilities.has('IMAP4rev1')) ? 'utf-8' : 'utf-7';
}

export const wireName = (client: ImapFlow, wireNames: WireNames, path: string): string =>
  wireNames.get(path) ?? encodeName(path, encodingOf(client));

const prefix = 'name:';

/** What the library is to be given for `path`. */
export const libraryName = (client: ImapFlow, wireNames: WireNames, path: string): string =>
  prefix + Buffer.from(wireName(client, wireNames, path)).toString('hex');

const namesFolder = new Set(['EXAMINE', 'SELECT', 'STATUS', 'APPEND', 'CREATE', 'SUBSCRIBE', 'LIST']);

/** A command's arguments, with the names as they go over the wire. */
export function withWireNames(command: string, attributes: unknown): unknown {
  return namesFolder.has(command) && Array.isArray(attributes) ? attributes.map(toWire) : attributes;
}

function toWire(argument: unknown): unknown {
  const given = typeof argument === 'object' && argument !== null && 'value' in argument ? argument.value : argument;
  if (typeof given !== 'string' || !given.startsWith(prefix)) return argument;
  const value = Buffer.from(given.slice(prefix.length), 'hex').toString();
  // A line end can only travel in a literal (RFC 9051 4.3).
  return { type: /[\r\n\0]/.test(value) ? 'LITERAL' : 'STRING', value };
}
