/** `imaps://anna%40example.com@mail.example.com:993` as a server address. Pure. Throws usage. */
import { domainToASCII } from 'node:url';
import { EngineError } from '../base/errors.ts';
import { isLoopback } from '../base/loopback.ts';
import type { Security, ServerAddress } from '../store/store.ts';

const schemes: Readonly<
  Record<string, { readonly port: number; readonly isImplicitTls: boolean; readonly kind: 'imap' | 'smtp' }>
> = {
  'imaps:': { port: 993, isImplicitTls: true, kind: 'imap' },
  'imap:': { port: 143, isImplicitTls: false, kind: 'imap' },
  'smtps:': { port: 465, isImplicitTls: true, kind: 'smtp' },
  'smtp:': { port: 587, isImplicitTls: false, kind: 'smtp' },
};

export interface ServerUrlOptions {
  readonly kind: 'imap' | 'smtp';
  /** The login when the URL names none. */
  readonly email: string;
  readonly allowPlaintext: boolean;
}

export function parseServerUrl(text: string, options: ServerUrlOptions): ServerAddress {
  const url = URL.canParse(text) ? new URL(text) : refuse(options, `${JSON.stringify(hidePassword(text))} is no URL`);
  const scheme = schemes[url.protocol];
  if (scheme?.kind !== options.kind) return refuse(options, `${url.protocol}// is not for this`);
  if (url.password !== '')
    return refuse(options, 'a password in a URL would be seen in the process list; use --password-stdin');
  if (url.port === '0') return refuse(options, 'there is no port 0');
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '')
    return refuse(options, `${JSON.stringify(url.pathname + url.search + url.hash)} after the host is not understood`);
  const host = hostOf(url, options);
  const user = url.username === '' ? options.email : decode(url.username, options);
  if (/\p{Cc}/u.test(user)) return refuse(options, 'the user holds a control character');
  return {
    host,
    port: url.port === '' ? scheme.port : Number(url.port),
    security: securityOf(scheme.isImplicitTls, host, options),
    user,
  };
}

/** As the DNS has it: of `müller.de` the URL only knows bytes. */
function hostOf({ hostname }: URL, options: ServerUrlOptions): string {
  if (hostname === '') return refuse(options, 'the host is missing');
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  const host = domainToASCII(decode(hostname, options));
  return host === '' ? refuse(options, `${JSON.stringify(hostname)} is no host name`) : host;
}

/** STARTTLS is required, except towards this machine and where the administrator gave it up. */
function securityOf(isImplicitTls: boolean, host: string, { allowPlaintext }: ServerUrlOptions): Security {
  if (isImplicitTls) return 'tls';
  return isLoopback(host) || allowPlaintext ? 'none' : 'starttls';
}

function decode(text: string, options: ServerUrlOptions): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse(options, `${JSON.stringify(text)} is not percent-encoded`);
  }
}

function refuse({ kind }: ServerUrlOptions, why: string): never {
  throw new EngineError('usage', `--${kind}: ${why}. Expected: ${kind}s://USER@HOST:PORT or ${kind}://USER@HOST:PORT.`);
}

const hidePassword = (text: string): string => text.replace(/:[^:@/]*@/, ':***@');
