/**
 * One addr-spec, strictly (RFC 5321 4.1.2 and 2.3.11, RFC 6531 for other scripts): what is not certainly one address is refused,
 * because a server or a library that reads it otherwise would send to somebody else. Pure.
 */
import { domainToASCII } from 'node:url';
import { hasControl } from './invalid.ts';

/** Octets (RFC 5321 4.5.3.1); a whole path has 256 with its brackets. */
const localBytesMax = 64;
const domainCharsMax = 253;
const addressBytesMax = 254;

/** The address with its domain in ASCII and lower case, or what is wrong with it. */
export function readAddressSpec(text: string): { readonly address: string } | { readonly problem: string } {
  if (hasControl(text)) return { problem: 'control characters in an address' };
  const at = text.lastIndexOf('@');
  if (at < 1) return { problem: 'not an address: local part, @ and domain are needed' };
  const local = text.slice(0, at);
  if (!isLocalPart(local)) return { problem: 'the part before the @ is not valid' };
  const domain = readDomain(text.slice(at + 1));
  if (domain === null) return { problem: 'the domain is not valid' };
  const address = `${local}@${domain}`;
  return Buffer.byteLength(address) > addressBytesMax ? { problem: 'the address is too long' } : { address };
}

/** Angle brackets are legal in a quoted local part, and nothing but trouble. */
function isLocalPart(local: string): boolean {
  if (Buffer.byteLength(local) > localBytesMax || !local.isWellFormed()) return false;
  if (local.startsWith('"')) return /^"(?:[ !#-;=?-[\]-~]|\\[ -;=?-~])+"$/.test(local);
  return local.split('.').every(isAtom);
}

/** atext, or a character of another script that is visible. */
const isAtom = (atom: string): boolean =>
  /^(?:[\w!#$%&'*+/=?^`{|}~-]|(?![\p{C}\p{Z}])[\u00a1-\u{10ffff}])+$/u.test(atom);

function readDomain(text: string): string | null {
  if (text.startsWith('['))
    return /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-fA-F:.]{2,45})\]$/.test(text) ? text : null;
  const ascii = /^[\x21-\x7e]+$/.test(text) ? text.toLowerCase() : domainToASCII(text.normalize('NFC'));
  return isHostName(ascii) ? ascii : null;
}

/** A name whose last label is a number would be an address of a machine. */
function isHostName(name: string): boolean {
  const labels = name.split('.');
  if (name.length > domainCharsMax || /^\d+$/.test(labels.at(-1) ?? '')) return false;
  return labels.every((label) => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(label));
}

/** Something before the @ that only an SMTPUTF8 server can take. */
export const needsUtf8 = (address: string): boolean => /[^\x20-\x7e]/.test(address);
