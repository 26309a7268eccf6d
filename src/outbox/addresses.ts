/**
 * Address columns: liberal in form, strict in content. A JSON array of `{name, address}` or of strings, one such element, or a
 * plain list `Bob <bob@example.com>, carl@example.com`. Every element must be exactly one address. Pure; throws outbox_invalid.
 */
import type { Address } from '../store/store.ts';
import { readAddressSpec } from './address-spec.ts';
import { hasControl, invalid, shown } from './invalid.ts';

/** More than any mailing that should go out as one mail; keeps one row from filling the store. */
const addressesMax = 10_000;

export function readAddresses(text: string | null, column: string): Address[] {
  if (text === null || text.trim() === '') return [];
  const elements = elementsOf(text.trim(), column);
  if (elements.length > addressesMax) throw invalid(column, `${elements.length} addresses, at most ${addressesMax}`);
  return elements.map((element) => readElement(element, column));
}

/** A column that holds one address at most. */
export function readAddress(text: string | null, column: string): Address | null {
  const addresses = readAddresses(text, column);
  if (addresses.length > 1) throw invalid(column, `${addresses.length} addresses, expected one`);
  return addresses[0] ?? null;
}

function elementsOf(text: string, column: string): unknown[] {
  if (text.startsWith('[') || text.startsWith('{')) {
    const value = parseJson(text, column);
    return Array.isArray(value) ? value : [value];
  }
  if (hasControl(text)) throw invalid(column, `control characters in ${shown(text)}`);
  return splitList(text);
}

/** No column needs more than three; what is nested by the thousand cannot be written as JSON again. */
const levelsMax = 100;

export function parseJson(text: string, column: string): unknown {
  const value = parsed(text, column);
  if (hasMoreLevels(value, levelsMax)) throw invalid(column, `JSON nested more than ${levelsMax} levels deep`);
  return value;
}

function parsed(text: string, column: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(column, `not JSON: ${shown(text)}`);
  }
}

function hasMoreLevels(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= levels && level.length > 0; depth += 1)
    level = level.flatMap((one): unknown[] => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  return level.length > 0;
}

/** At commas and semicolons that stand outside of quotes and angle brackets. */
function splitList(text: string): string[] {
  const parts: string[] = [];
  const pattern = /"(?:[^"\\]|\\.)*"|<[^<>]*>|[,;]|[^",;<]+|["<]/g;
  let part = '';
  for (const [piece] of text.matchAll(pattern)) {
    if (piece === ',' || piece === ';') {
      parts.push(part);
      part = '';
    } else part += piece;
  }
  return [...parts, part].map((entry) => entry.trim()).filter((entry) => entry !== '');
}

function readElement(element: unknown, column: string): Address {
  if (typeof element === 'string') return readMailbox(element, column);
  if (typeof element !== 'object' || element === null || !('address' in element) || typeof element.address !== 'string')
    throw invalid(column, `${shown(element)} is no address`);
  const name = 'name' in element ? element.name : '';
  if (name !== null && name !== undefined && typeof name !== 'string')
    throw invalid(column, `the name in ${shown(element)} is no text`);
  return checked(name ?? '', element.address, column);
}

/** A name and an address; longer text is neither, and would only cost time. */
const mailboxCharsMax = 1000;

/** `Name <address>`, `"Name" <address>` or `address`. */
function readMailbox(text: string, column: string): Address {
  if (text.length > mailboxCharsMax) throw invalid(column, `${shown(text)} is no address`);
  const bracketed = /^(?:"((?:[^"\\]|\\.)*)"|([^"<>()[\]\\:;,]*))\s*<([^<>]*)>$/.exec(text.trim());
  if (!bracketed) return checked('', text, column);
  const [, quoted, plain, address = ''] = bracketed;
  const name = quoted?.replace(/\\(.)/g, '$1') ?? (plain ?? '').trim();
  // Some programs take what looks like an address in front of the brackets for the address.
  if (name.includes('@') && name.trim().toLowerCase() !== address.trim().toLowerCase())
    throw invalid(column, `two addresses in ${shown(text)}`);
  return checked(name, address, column);
}

function checked(name: string, text: string, column: string): Address {
  if (hasControl(name)) throw invalid(column, `control characters in the name ${shown(name)}`);
  const spec = readAddressSpec(text.trim());
  if ('problem' in spec) throw invalid(column, `${spec.problem}: ${shown(text)}`);
  return { name: name.toWellFormed().trim(), address: spec.address };
}

/** Each once, in the order given; case makes no difference to any server that matters. */
export function uniqueAddresses(addresses: readonly string[]): string[] {
  const seen = new Set<string>();
  return addresses.filter((address) => {
    const key = address.toLowerCase();
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
