/**
 * One request for a token (RFC 6749 6; 4.4 where the client itself is the grant). Bounded in time and size, over HTTPS only but on
 * this machine, following no redirect: what is sent is worth a mailbox. Never throws: what went wrong is an answer, too.
 */
import { withDeadline } from '../base/abort.ts';
import { maskSecret } from '../base/credentials.ts';
import { EngineError } from '../base/errors.ts';
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
  const body = createBody();
  const deadline = { ms: timeoutMs, onExpire: body.giveUp, what: 'token' };
  try {
    return await withDeadline(ask(grant, timeoutMs, body), deadline);
  } catch (error) {
    return failure(wordsOf(error, timeoutMs));
  }
}

async function ask(grant: Grant, timeoutMs: number, { readBounded }: Body): Promise<TokenAnswer | TokenFailure> {
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

interface Body {
  /** Null: it is larger than any honest one. */
  readonly readBounded: (response: Response) => Promise<string | null>;
  readonly giveUp: () => void;
}

/**
 * The signal of a fetch ends the wait for its head only: once that is there Node 20 may have forgotten whom to tell (undici keeps
 * a weak reference), and a body that comes a byte at a time would never end. So the reading is ended by hand.
 */
function createBody(): Body {
  let cancel = (): void => undefined;
  return {
    giveUp: () => cancel(),
    async readBounded({ body }) {
      const reader = body?.getReader();
      if (!reader) return '';
      cancel = () => void reader.cancel().catch(() => undefined);
      const pieces: Uint8Array[] = [];
      let bytes = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return Buffer.concat(pieces).toString('utf8');
        bytes += value.length;
        if (bytes > bodyBytesMax) break;
        pieces.push(value);
      }
      cancel();
      return null;
    },
  };
}

/** fetch says "fetch failed"; the reason is its cause. */
function wordsOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError' || (error instanceof EngineError && error.code === 'timeout'))
    return `no answer within ${timeoutMs} ms`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause ? `${String(cause.code)}: ${cause.message}` : cause.message;
}
