/** What trouble with the server for sending means for the account: how long nothing is sent. Pure. */
import type { ErrorRecord } from '../base/errors.ts';
import type { SmtpHealth } from '../store/outbox-entry.ts';

export const healthy: SmtpHealth = { state: 'ok', lastError: null, retryAt: null, failureCount: 0 };

const firstWaitMs = 60_000;
const lastWaitMs = 60 * 60_000;

export interface Trouble {
  readonly failure: ErrorRecord;
  /** Of the account, before this one. */
  readonly failureCount: number;
  readonly nowMs: number;
  readonly authRetryMs: number;
}

/** 1, 2, 4 … 60 minutes; what an operator must put right is tried seldom, because providers lock accounts. */
export function healthAfter({ failure, failureCount, nowMs, authRetryMs }: Trouble): SmtpHealth {
  const backoffMs = Math.min(lastWaitMs, firstWaitMs * 2 ** Math.min(failureCount, 10));
  const waitMs = failure.remedy === 'wait-operator' ? Math.max(authRetryMs, backoffMs) : backoffMs;
  return {
    state: authCodes.has(failure.code) ? 'auth_error' : 'backoff',
    lastError: `${failure.code}: ${failure.detail}`,
    retryAt: new Date(nowMs + waitMs).toISOString(),
    failureCount: failureCount + 1,
  };
}

const authCodes: ReadonlySet<string> = new Set(['auth_failed', 'auth_unsupported', 'no_password', 'secret_unreadable']);

/** A server that cannot be reached: time heals it, and each mail waits for it by its own schedule. */
const reachCodes: ReadonlySet<string> = new Set(['host_not_found', 'connection_refused', 'connection_lost', 'timeout']);

/**
 * Is it the account's alone (login, certificate, the wrong port, limits), so that no mail counts an attempt for it? What keeps the server out of
 * reach is each mail's too: none is to be tried for ever.
 */
export const isOnlyAccounts = ({ code }: ErrorRecord): boolean => !reachCodes.has(code);
