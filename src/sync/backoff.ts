/** How long an account or folder that failed is left alone. Pure. */
import type { ErrorRecord } from '../base/errors.ts';

const firstMs = 60_000;
const lastMs = 60 * 60_000;

/** 1, 2, 4 … 60 minutes. A wait that the server named is kept when it is longer, and never for more than a day. */
export function retryAtMs(failure: ErrorRecord, failureCount: number, nowMs: number): number {
  const waitMs = Math.min(lastMs, firstMs * 2 ** Math.min(Math.max(0, failureCount - 1), 10));
  const namedMs = failure.notBefore === undefined ? 0 : Date.parse(failure.notBefore) - nowMs;
  return nowMs + Math.max(waitMs, Math.min(namedMs, 24 * 60 * 60_000));
}
