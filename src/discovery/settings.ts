/** What looking for an address's servers can find, as plain data, and what of it may be used at all. Pure. */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { isLoopback } from '../base/loopback.ts';

export interface FoundServer {
  readonly host: string;
  readonly port: number;
  /** There is no plaintext here: what offers nothing else is not a find. */
  readonly security: 'tls' | 'starttls';
  /** Logins to try, likeliest first. */
  readonly users: readonly string[];
}

/** In the order in which they are believed. */
export type Source = 'provider' | 'autoconfig' | 'srv' | 'mx';

export interface Found {
  readonly source: Source;
  /** For people: a URL, a name in the DNS, or whose servers they are. */
  readonly where: string;
  /**
   * TLS of the domain itself, our own table, or a host inside the domain says so. Otherwise it rests on the DNS alone, which anyone
   * on the way can forge (RFC 6186 6): somebody has to look before a password goes there.
   */
  readonly isVouchedFor: boolean;
  readonly imap: FoundServer;
  readonly smtp: FoundServer | null;
  /** The provider takes OAuth (by this preset), or nothing else. */
  readonly oauth: { readonly preset: string; readonly isOnly: boolean } | null;
}

export interface Address {
  readonly email: string;
  readonly localPart: string;
  /** ASCII, lower case. */
  readonly domain: string;
}

/** Null: no address in a domain that could be looked up. */
export function parseAddress(email: string): Address | null {
  const at = email.lastIndexOf('@');
  const domain = domainToASCII(email.slice(at + 1));
  return at > 0 && isHostName(domain, false) ? { email, localPart: email.slice(0, at), domain } : null;
}

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const dottedName = new RegExp(`^(?=.{1,253}$)${label}(\\.${label})+$`);

/**
 * A name with a dot in it, in lower case. Others' settings must not lead us to this machine or to addresses that no certificate
 * names; `allowsLoopback` is for tests.
 */
export function isHostName(host: string, allowsLoopback: boolean): boolean {
  if (isLoopback(host)) return allowsLoopback;
  return dottedName.test(host) && isIP(host) === 0 && !/(^|\.)(localhost|\d+)$/.test(host);
}

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;

const order: readonly Source[] = ['provider', 'autoconfig', 'srv', 'mx'];

/** Best first; the same servers are not shown twice. */
export function rankFound(found: readonly Found[]): Found[] {
  const sorted = [...found].sort((a, b) => order.indexOf(a.source) - order.indexOf(b.source));
  const key = ({ imap }: Found): string => `${imap.host}:${imap.port}`;
  return sorted.filter((one, index) => sorted.findIndex((other) => key(other) === key(one)) === index);
}
