/**
 * How long an account or folder that failed is left alone. Pure. Credentials and certificates wait for an operator and are tried
 * seldom; the store's trouble (a full disk, a lock) is no account's, and as soon as it is over all go on; everything else backs
 * off.
 */
import type { ErrorRecord } from '../base/errors.ts';

const firstMs = 60_000;
const lastMs = 60 * 60_000;

/** 1, 2, 4 … 60 minutes. A wait that the server named is kept when it is longer, and never for more than a day. */
export function retryAtMs(failure: ErrorRecord, failureCount: number, nowMs: number): number {
  const waitMs = Math.min(lastMs, firstMs * 2 ** Math.min(Math.max(0, failureCount - 1), 10));
  const namedMs = failure.notBefore === undefined ? 0 : Date.parse(failure.notBefore) - nowMs;
  return nowMs + Math.max(waitMs, Math.min(namedMs, 24 * 60 * 60_000));
}

export interface AccountBackoff {
  readonly failureCount: number;
  readonly retryAtMs: number;
}

/** `failureCount`: before this failure. */
export function accountBackoff(
  failure: ErrorRecord,
  { failureCount, operatorWaitMs, nowMs }: { failureCount: number; operatorWaitMs: number; nowMs: number },
): AccountBackoff {
  if (failure.scope === 'process' && failure.code !== 'bug') return { failureCount, retryAtMs: nowMs + firstMs };
  const count = failureCount + 1;
  const waitMs = failure.remedy === 'wait-operator' ? operatorWaitMs : 0;
  return { failureCount: count, retryAtMs: Math.max(nowMs + waitMs, retryAtMs(failure, count, nowMs)) };
}
