/**
 * Reads what a token endpoint answers (RFC 6749 5.1, 5.2). Pure. Endpoints are other people's: whatever comes is either a token
 * that can go into a login as it is, or a reason, in words that are safe to log.
 */

export interface TokenAnswer {
  readonly kind: 'token';
  readonly accessToken: string;
  /** Null: the one before stays. */
  readonly refreshToken: string | null;
  readonly expiresInSeconds: number | null;
}

export interface TokenFailure {
  readonly kind: 'refused' | 'unavailable';
  readonly error: string;
  readonly retryAfterSeconds: number | null;
}

export interface TokenHttp {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
  /** A provider may repeat the request that it refuses, secrets and all. */
  readonly mask: (text: string) => string;
}

/** Real ones have 2 to 4 KB. */
const tokenLengthMax = 16_384;
/** These say that the provider, not the grant, is the trouble. */
const passing: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error', 'slow_down']);

export function readTokenResponse(http: TokenHttp): TokenAnswer | TokenFailure {
  const fields = fieldsOf(http.body);
  if (!fields) return unavailable(http, 'no JSON object came');
  if (http.status !== 200) return failureOf(http, fields);
  const { access_token: accessToken, refresh_token: refreshToken, token_type: type } = fields;
  if (!isToken(accessToken)) return unavailable(http, 'no usable access_token came');
  if (typeof type === 'string' && type.toLowerCase() !== 'bearer')
    return unavailable(http, `the token is of type ${readable(http, type)}, not Bearer`);
  return {
    kind: 'token',
    accessToken,
    refreshToken: isToken(refreshToken) ? refreshToken : null,
    expiresInSeconds: secondsOf(fields.expires_in),
  };
}

function fieldsOf(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null; // not JSON
  }
}

/** RFC 6750 2.1 and RFC 7628 3.1: nothing that would end the field that it travels in. */
const isToken = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= tokenLengthMax && /^[\x21-\x7e]+$/.test(value);

/** Some write it as a string. */
function secondsOf(value: unknown): number | null {
  const seconds = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 1 ? Math.floor(seconds) : null;
}

/** 400 and 401 with an `error` are the grant's or the client's fault; anything else may pass. */
function failureOf(http: TokenHttp, { error, error_description: description }: Readonly<Record<string, unknown>>) {
  const name = typeof error === 'string' ? readable(http, error) : '';
  const words = [name, typeof description === 'string' ? readable(http, description) : ''].filter(
    (text) => text !== '',
  );
  if (name === '' || passing.has(name) || ![400, 401, 403].includes(http.status))
    return unavailable(http, words.join(': '));
  return { kind: 'refused' as const, error: words.join(': '), retryAfterSeconds: null };
}

function unavailable({ status, retryAfter }: TokenHttp, why: string): TokenFailure {
  const error = [`HTTP ${status}`, why].filter((text) => text !== '').join(': ');
  const seconds = retryAfter !== null && /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) : null;
  return { kind: 'unavailable', error, retryAfterSeconds: seconds };
}

/** Masked before it is cut: half a secret would not be known again. */
const readable = ({ mask }: TokenHttp, text: string): string =>
  mask(text)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, 200);
