/**
 * One request for a token (RFC 6749 6; 4.4 where the client itself is the grant). Bounded in time and size, over HTTPS only but on
 * this machine, following no redirect: what is sent is worth a mailbox. Never throws: what went wrong is an answer, too.
 */
import { maskSecret } from '../base/credentials.ts';
import { isLoopback } from '../base/loopback.ts';
import type { Grant } from '../store/logins.ts';
import { readTokenResponse, type TokenAnswer, type TokenFailure } from './token-response.ts';

/** Honest answers have a few KB. */
const bodyBytesMax = 256 * 1024;

export type RequestToken = (grant: Grant) => Promise<TokenAnswer | TokenFailure>;

export function isSafeTokenUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return false;
  if (url.username !== '' || url.password !== '') return false;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(host));
}

export async function requestToken(grant: Grant, timeoutMs: number): Promise<TokenAnswer | TokenFailure> {
  if (!isSafeTokenUrl(grant.tokenUrl)) return failure('the token URL is not https://');
  try {
    const response = await fetch(grant.tokenUrl, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams(formOf(grant)),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = await readBounded(response);
    if (body === null) return failure(`more than ${bodyBytesMax} bytes came`);
    const retryAfter = response.headers.get('retry-after');
    return readTokenResponse({ status: response.status, body, retryAfter, mask: (text) => masked(text, grant) });
  } catch (error) {
    return failure(wordsOf(error, timeoutMs));
  }
}

/** Shorter ones are no secrets, and would be found in every word. */
const secretLengthMin = 8;

const masked = (text: string, { clientSecret, refreshToken }: Grant): string =>
  [clientSecret, refreshToken].reduce<string>(
    (rest, secret) => (secret !== null && secret.length >= secretLengthMin ? maskSecret(rest, secret) : rest),
    text,
  );

const failure = (error: string): TokenFailure => ({ kind: 'unavailable', error, retryAfterSeconds: null });

function formOf({ clientId, clientSecret, refreshToken, scope }: Grant): Record<string, string> {
  return {
    ...(refreshToken === null
      ? { grant_type: 'client_credentials' }
      : { grant_type: 'refresh_token', refresh_token: refreshToken }),
    client_id: clientId,
    ...(clientSecret !== null && { client_secret: clientSecret }),
    ...(scope !== null && { scope }),
  };
}

async function readBounded(response: Response): Promise<string | null> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > bodyBytesMax) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** fetch says "fetch failed"; the reason is its cause. */
function wordsOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause ? `${String(cause.code)}: ${cause.message}` : cause.message;
}
