import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogue, EngineError, type ErrorCode } from '../../../src/base/errors.ts';
import { accountBackoff } from '../../../src/sync/backoff.ts';

const minuteMs = 60_000;
const operatorWaitMs = 30 * minuteMs;
const backoff = (code: ErrorCode, failureCount: number) =>
  accountBackoff(new EngineError(code, '').toRecord(), { failureCount, operatorWaitMs, nowMs: 0 });

describe('how long an account that failed is left alone', () => {
  it('doubles up to an hour', () => {
    const minutes = Array.from({ length: 9 }, (_, count) => backoff('connection_lost', count).retryAtMs / minuteMs);
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });
  it('is long where only an operator can help', () => {
    expect(backoff('auth_failed', 0)).toEqual({ failureCount: 1, retryAtMs: operatorWaitMs });
  });
  it('is a minute, and counts for nothing, where the store failed', () => {
    for (const code of ['store_full', 'store_busy', 'store_io', 'store_corrupt'] as const)
      expect(backoff(code, 5)).toEqual({ failureCount: 5, retryAtMs: minuteMs });
  });
  it('is never less than a minute, nor more than a day', () => {
    const codes = fc.constantFrom(...(Object.keys(catalogue) as ErrorCode[]));
    fc.assert(
      fc.property(codes, fc.nat(100), (code, count) => {
        const { failureCount, retryAtMs } = backoff(code, count);
        expect(retryAtMs).toBeGreaterThanOrEqual(minuteMs);
        expect(retryAtMs).toBeLessThanOrEqual(24 * 60 * minuteMs);
        expect(failureCount - count).toBeLessThanOrEqual(1);
      }),
    );
  });
});
