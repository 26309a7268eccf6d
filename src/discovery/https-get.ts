/**
 * GET over HTTPS for settings that others publish. Bounded in time, size and redirects; certificates are verified; a redirect leads
 * to https:// at the usual port of a named host or nowhere; no address of this machine or link is dialled. Throws Error with words.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { BlockList, isIPv6, type LookupFunction } from 'node:net';
import { withDeadline } from '../base/abort.ts';
import { isHostName } from './settings.ts';

const timeoutMs = 8_000;
/** Real ones have 2 KB. */
const bodyBytesMax = 256 * 1024;
const redirectCountMax = 3;

export interface HttpsAnswer {
  readonly status: number;
  readonly body: string;
  /** Where it came from at last. */
  readonly url: string;
}

export type HttpsGet = (url: string, signal: AbortSignal) => Promise<HttpsAnswer>;

/** For tests: another way from names to addresses, another port than 443, an authority of their own, and less patience. */
export interface HttpsOptions {
  readonly lookup?: LookupFunction;
  readonly port?: number;
  readonly ca?: Buffer;
  readonly ms?: number;
}

/** The deadline is a timer: in AbortSignal.any, Node 20 may forget one of AbortSignal.timeout after a garbage collection. */
export function createHttpsGet({ ms = timeoutMs, ...options }: HttpsOptions = {}): HttpsGet {
  return (url, signal) => {
    const limit = new AbortController();
    return withDeadline(follow(url, options, limit.signal), { ms, onExpire: () => limit.abort(), signal, what: 'GET' });
  };
}

async function follow(url: string, options: HttpsOptions, signal: AbortSignal): Promise<HttpsAnswer> {
  let next = new URL(url);
  for (let count = 0; count <= redirectCountMax; count += 1) {
    const response = await ask(next, options, signal);
    const { statusCode: status = 0 } = response;
    const location = response.headers.location;
    if (status < 300 || status > 399 || location === undefined)
      return { status, body: await bodyOf(response), url: next.href };
    response.destroy();
    next = redirected(location, next);
  }
  throw new Error(`more than ${redirectCountMax} redirects`);
}

function ask(url: URL, given: HttpsOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const options = { lookup: vettedLookup, port: 443, ...given };
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/xml, application/xml', connection: 'close' };
    request(url, { ...options, signal, headers, agent: false }, resolve)
      .once('error', reject)
      .end();
  });
}

/** Pure. */
export function redirected(location: string, from: URL): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from.href) : null;
  const isFine =
    url?.protocol === 'https:' && url.port === '' && url.username === '' && isHostName(url.hostname, false);
  if (!url || !isFine) throw new Error(`a redirect to ${JSON.stringify(location.slice(0, 200))} is not followed`);
  return url;
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bodyBytesMax) throw new Error(`more than ${bodyBytesMax} bytes came`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** This machine, and the cloud's metadata service on the link. Private ranges stay: companies have their mail servers there. */
const forbidden = new BlockList();
forbidden.addSubnet('127.0.0.0', 8);
forbidden.addSubnet('0.0.0.0', 8);
forbidden.addSubnet('169.254.0.0', 16);
forbidden.addSubnet('224.0.0.0', 3);
forbidden.addAddress('::1', 'ipv6');
forbidden.addAddress('::', 'ipv6');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addSubnet('ff00::', 8, 'ipv6');

/** IPv4 in IPv6 is judged as what it is. Pure. */
export const isForbidden = (address: string): boolean => forbidden.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

/** What is looked up is what is dialled: there is no second look that could answer otherwise. */
const vettedLookup: LookupFunction = (host, options, callback) => {
  systemLookup(host, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error) return callback(error, []);
    const allowed = addresses.filter(({ address }) => !isForbidden(address));
    const [first] = allowed;
    if (!first) return callback(new Error(`${host} is this machine, or on its link`), []);
    if (options.all) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
};
