/**
 * The only place where what imapflow and the network throw becomes an EngineError. Pure. `authenticationFailed` is true for
 * every NO at login, also for "server busy" and "too many connections": only the response code and the text tell (RFC 5530).
 */
import { EngineError, type ErrorCode } from '../base/errors.ts';
import { tlsTroubleOf } from '../base/tls-trouble.ts';

export interface FailureContext {
  /** What was tried, for people: `FETCH`, `login as anna@example.com`. */
  readonly what: string;
  readonly nowMs: number;
  /** It is an IMAP server, although it broke off before the login was done. */
  readonly hasGreeted?: boolean;
  /** A server may repeat the login that it refuses. */
  readonly mask?: (text: string) => string;
}

interface Thrown {
  readonly code: string;
  readonly message: string;
  readonly responseText: string;
  readonly serverResponseCode: string;
  readonly responseStatus: string;
  readonly authenticationFailed: boolean;
  readonly throttleReset: number;
  /** RFC 7628 3.2.2: why a token was refused; null: the server did not say. */
  readonly oauthStatus: string | null;
  /** What the server said in its BYE, when that is what ended the connection. */
  readonly bye: string;
}

export function toEngineError(error: unknown, context: FailureContext): EngineError {
  if (error instanceof EngineError) return error;
  const thrown = describe(error);
  const code = codeIn(context, thrown);
  const said = words(thrown);
  const detail = `${context.what}: ${context.mask?.(said) ?? said}`;
  const waitMs = code === 'throttled' ? throttleMs(thrown) : 0;
  return new EngineError(code, detail.slice(0, 500), {
    cause: error,
    ...(waitMs > 0 ? { notBefore: new Date(context.nowMs + waitMs).toISOString() } : {}),
  });
}

function codeIn(context: FailureContext, thrown: Thrown): ErrorCode {
  if (isFolderGone(thrown, context)) return 'folder_missing';
  if (context.hasGreeted && thrown.bye === '' && thrown.code.startsWith('ClosedAfterConnect')) return 'connection_lost';
  return codeOf({ ...thrown, responseText: withoutName(thrown.responseText, context.what) });
}

/** A folder may be called `Bandwidth`, and servers repeat its name. */
function withoutName(text: string, what: string): string {
  const name = /^(?:EXAMINE|SELECT|CREATE|APPEND) (.+)$/s.exec(what)?.[1];
  return name === undefined ? text : text.replaceAll(name, '');
}

function words({ serverResponseCode, responseText, message, oauthStatus, bye }: Thrown): string {
  const parts = [
    serverResponseCode === '' ? '' : `[${serverResponseCode}]`,
    bye || responseText || message,
    oauthStatus === null ? '' : `(token status ${oauthStatus})`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function describe(error: unknown): Thrown {
  const fields: Record<string, unknown> = typeof error === 'object' && error !== null ? { ...error } : {};
  const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  return {
    code: text('code'),
    message: error instanceof Error ? error.message : String(error),
    responseText: text('responseText'),
    serverResponseCode: text('serverResponseCode'),
    responseStatus: text('responseStatus'),
    authenticationFailed: fields.authenticationFailed === true,
    throttleReset: typeof fields.throttleReset === 'number' ? fields.throttleReset : 0,
    oauthStatus: oauthStatusOf(fields.oauthError),
    bye: text('reason'),
  };
}

function oauthStatusOf(oauthError: unknown): string | null {
  if (typeof oauthError !== 'object' || oauthError === null || !('status' in oauthError)) return null;
  return String(oauthError.status).slice(0, 50);
}

const networkCodes: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: 'host_not_found',
  EAI_AGAIN: 'host_not_found',
  ECONNREFUSED: 'connection_refused',
  EHOSTUNREACH: 'connection_refused',
  ENETUNREACH: 'connection_refused',
  ETIMEDOUT: 'timeout',
  ETIMEOUT: 'timeout',
  CONNECT_TIMEOUT: 'timeout',
  UPGRADE_TIMEOUT: 'timeout',
  GREETING_TIMEOUT: 'not_imap',
  ClosedAfterConnectTLS: 'not_imap',
  ClosedAfterConnectText: 'not_imap',
  ECONNRESET: 'connection_lost',
  EPIPE: 'connection_lost',
  NoConnection: 'connection_lost',
  EConnectionClosed: 'connection_lost',
  ETHROTTLE: 'throttled',
  LineTooLarge: 'response_too_large',
  LiteralTooLarge: 'response_too_large',
  ResponseTooLarge: 'response_too_large',
  TooManyTokens: 'response_too_large',
  TooManyResponses: 'response_too_large',
};

/** RFC 5530 and what servers write instead of it. */
const responseCodes: Readonly<Record<string, ErrorCode>> = {
  AUTHENTICATIONFAILED: 'auth_failed',
  AUTHORIZATIONFAILED: 'auth_failed',
  EXPIRED: 'auth_failed',
  PRIVACYREQUIRED: 'tls_unavailable',
  CONTACTADMIN: 'auth_failed',
  WEBALERT: 'auth_failed',
  UNAVAILABLE: 'auth_unavailable',
  INUSE: 'auth_unavailable',
  SERVERBUG: 'auth_unavailable',
  LIMIT: 'too_many_connections',
  OVERQUOTA: 'throttled',
  THROTTLED: 'throttled',
};

const tooMuch = /throttl|bandwidth|backoff|\brate.?limit|overquota/i;

/**
 * Says that there are too many connections, or too much traffic: also without a response code, also in a BYE. Of commands there may
 * be too many on one connection (WildDuck allows 1,000 EXAMINE); another one may have as many.
 */
const limitTexts: readonly (readonly [pattern: RegExp, code: ErrorCode])[] = [
  [/too many(?!.*\b(commands|errors)\b)|maximum number|simultaneous|connection limit/i, 'too_many_connections'],
  [tooMuch, 'throttled'],
];

const loginTexts: readonly (readonly [pattern: RegExp, code: ErrorCode])[] = [
  ...limitTexts,
  [/busy|unavailable|try again|temporar|internal error|later|backend/i, 'auth_unavailable'],
  [/credential|password|log[- ]?in|authenticat|user ?name|invalid|denied|disabled/i, 'auth_failed'],
];

/**
 * Dovecot 2.3 lists a deleted folder that has others below it, and refuses to open it without a response code. That the library says
 * `mailboxMissing` means nothing: it looks for the name that it was given (library-name.ts) in a listing, and finds it in none.
 */
const isFolderGone = ({ responseStatus, responseText }: Thrown, { what }: FailureContext): boolean =>
  responseStatus === 'NO' &&
  what.startsWith('EXAMINE') &&
  /(does ?n[o\u2019']t|not) exist|no such (mailbox|folder)|unknown (mailbox|folder)|non-?existent/i.test(responseText);

/** The library's own words. The last: LOGINDISABLED, and no mechanism of ours beside it (RFC 9051 6.2.3). */
const noWayToLogIn = /unsupported authentication mechanism|no matching authentication method|^login is disabled$/i;

function codeOf(thrown: Thrown): ErrorCode {
  const { code, message, authenticationFailed, responseText, serverResponseCode } = thrown;
  const tls = tlsTroubleOf(code, message);
  if (tls !== null) return tls;
  if (code === 'STARTTLS_INJECTION') return 'tls_tampered';
  if (noWayToLogIn.test(message)) return 'auth_unsupported';
  if (/STARTTLS|PREAUTH/i.test(message) && !authenticationFailed && networkCodes[code] === undefined)
    return 'tls_unavailable';
  if (/wrong version number|packet length too long|EPROTO|SSL routines/i.test(`${code} ${message}`)) return 'not_imap';
  if (tooMuch.test(responseText)) return 'throttled';
  if (thrown.bye !== '') return limitTexts.find(([pattern]) => pattern.test(thrown.bye))?.[1] ?? 'connection_lost';
  const network = networkCodes[code];
  if (network !== undefined) return network;
  if (authenticationFailed) return responseCodes[serverResponseCode.toUpperCase()] ?? loginCode(thrown);
  if (serverResponseCode.toUpperCase() === 'NONEXISTENT') return 'folder_missing';
  return thrown.responseStatus === 'NO' || thrown.responseStatus === 'BAD' ? 'command_refused' : otherCode(thrown);
}

/** "NO AUTHENTICATE failed." says little; the challenge before it (`{"status":"401"}`) says that it was the token. */
function loginCode({ responseText, message, oauthStatus }: Thrown): ErrorCode {
  const known = loginTexts.find(([pattern]) => pattern.test(responseText || message))?.[1];
  return known ?? (/^(400|401|invalid_token)$/.test(oauthStatus ?? '') ? 'auth_failed' : 'auth_unavailable');
}

function otherCode({ code, message }: Thrown): ErrorCode {
  if (/connection (not available|closed|lost)|socket|BYE|Unexpected close/i.test(message)) return 'connection_lost';
  if (/timed? ?out/i.test(message)) return 'timeout';
  return /pars|protocol|unexpected/i.test(`${code} ${message}`) || code !== ''
    ? 'protocol_violation'
    : 'connection_lost';
}

const unitMs: Readonly<Record<string, number>> = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** "Suggested Backoff Time: 299961 milliseconds" (Office 365), "Try again in 12 hours" (WildDuck). */
function throttleMs({ responseText, message, throttleReset }: Thrown): number {
  const said = `${responseText} ${message}`;
  const named = /backoff time:?\s*(\d+)/i.exec(said)?.[1];
  if (named !== undefined) return Number(named);
  const [, count, unit = ''] = /\bin (\d{1,6}) (second|minute|hour|day)s?\b/i.exec(said) ?? [];
  return count === undefined ? throttleReset : Number(count) * (unitMs[unit.toLowerCase()] ?? 0);
}
