/**
 * The only place where what nodemailer and the network throw while connecting and sending becomes an EngineError. Pure. A refused
 * login is told by the reply, not by the library's code: 454 and "too many logins" are no wrong password.
 */
import { EngineError, type ErrorCode } from '../base/errors.ts';
import { tlsTroubleOf } from '../base/tls-trouble.ts';
import { parseReply } from './reply.ts';
import type { Reply } from './session.ts';

interface Thrown {
  readonly code: string;
  readonly originalCode: string;
  readonly message: string;
  readonly command: string;
  readonly reply: Reply | null;
}

/** `what`: what was tried, for people. `mask`: a server may repeat the login that it refuses. */
export function toSmtpFailure(error: unknown, what: string, mask = (text: string): string => text): EngineError {
  if (error instanceof EngineError) return error;
  const thrown = describe(error, mask);
  const detail = `${what}: ${thrown.reply?.text ?? thrown.message}`;
  return new EngineError(codeOf(thrown), detail.slice(0, 500), { cause: error });
}

function describe(error: unknown, mask: (text: string) => string): Thrown {
  const fields: Record<string, unknown> = typeof error === 'object' && error !== null ? { ...error } : {};
  const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  return {
    code: text('code'),
    originalCode: text('originalCode'),
    // OpenSSL ends its words with a line end.
    message: mask(error instanceof Error ? error.message : String(error)).trim(),
    command: text('command'),
    reply: parseReply(mask(text('response'))),
  };
}

const networkCodes: Readonly<Record<string, ErrorCode>> = {
  EDNS: 'host_not_found',
  ENOTFOUND: 'host_not_found',
  EAI_AGAIN: 'host_not_found',
  ECONNREFUSED: 'connection_refused',
  EHOSTUNREACH: 'connection_refused',
  ENETUNREACH: 'connection_refused',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'connection_lost',
  EPIPE: 'connection_lost',
  ECONNECTION: 'connection_lost',
  ESOCKET: 'connection_lost',
};

function codeOf(thrown: Thrown): ErrorCode {
  const { code, originalCode, message, command, reply } = thrown;
  const tls = reply === null ? tlsTroubleOf(originalCode || code, message) : null;
  if (tls !== null) return tls;
  if (command === 'STARTTLS' || /STARTTLS/.test(message)) return starttlsCode(command, reply);
  if (/wrong version number|packet length too long|EPROTO\b|SSL routines/i.test(`${originalCode} ${message}`))
    return 'not_smtp';
  if (code === 'EAUTH') return loginCode(reply, message);
  if (reply !== null && reply.code >= 400) return isCrowded(reply.text) ? 'too_many_connections' : 'connection_refused';
  if (code === 'EPROTOCOL') return 'not_smtp';
  return networkCodes[originalCode] ?? networkCodes[code] ?? 'connection_lost';
}

/** RFC 3207 4: 454 is for now. A server that knows EHLO and refuses ours (554) has said nothing of STARTTLS. */
function starttlsCode(command: string, reply: Reply | null): ErrorCode {
  if (reply === null) return 'not_smtp';
  if (isCrowded(reply.text)) return 'too_many_connections';
  const isForNow = reply.code >= 400 && reply.code < 500;
  const isOurEhlo = command === 'EHLO' && !unknownCommand.has(reply.code);
  return isForNow || isOurEhlo ? 'connection_refused' : 'tls_unavailable';
}

/** RFC 5321 4.2.4: no such command here. */
const unknownCommand: ReadonlySet<number> = new Set([500, 502, 504]);

const isCrowded = (text: string): boolean => /too many|concurrent|connection limit|maximum number/i.test(text);

/** RFC 4954 6: 454 and other 4xx are the server's trouble; 535, 534, 538 and their like are the account's. */
function loginCode(reply: Reply | null, message: string): ErrorCode {
  if (reply === null && message.includes('unsupported')) return 'auth_unsupported';
  if (reply === null)
    return /missing credentials|unknown authentication/i.test(message) ? 'auth_failed' : 'connection_lost';
  if (isCrowded(reply.text)) return 'too_many_connections';
  if (reply.code === 504) return 'auth_unsupported';
  return reply.code >= 500 ? 'auth_failed' : 'auth_unavailable';
}
