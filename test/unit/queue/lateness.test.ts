import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, latenessOf } from '../../../src/queue/lateness.ts';

describe('lateness', () => {
  it('of any starts is told within a fifth of the true percentiles', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(86_400_000), { minLength: 1, maxLength: 200 }), (given) => {
        const sorted = [...given].sort((a, b) => a - b);
        const counts = sorted.map((ms) => ({ class: 'live', bucket: bucketOf(ms), count: 1 }));
        const [live] = latenessOf(merged(counts));
        for (const [share, told] of [
          [0.5, live?.p50Ms],
          [0.95, live?.p95Ms],
          [1, live?.worstMs],
        ] as const) {
          const real = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
          expect(told).toBeGreaterThanOrEqual(Math.min(real, 10));
          expect(told).toBeLessThanOrEqual(Math.max(10, real * 1.2) + 1);
          expect(told).toBeGreaterThanOrEqual(real - 1);
        }
        expect(live?.count).toBe(given.length);
      }),
    );
  });

  it('is told by class, and is nothing of nothing', () => {
    const counts = ['recent', 'live'].map((name) => ({ class: name, bucket: 0, count: 3 }));
    expect(latenessOf(counts).map((one) => [one.class, one.count, one.p95Ms])).toEqual([
      ['live', 3, 10],
      ['recent', 3, 10],
    ]);
    expect(latenessOf([])).toEqual([]);
  });
});

function merged(counts: readonly { class: string; bucket: number; count: number }[]): typeof counts {
  const sums = new Map<number, number>();
  for (const { bucket, count } of counts) sums.set(bucket, (sums.get(bucket) ?? 0) + count);
  return [...sums].map(([bucket, count]) => ({ class: 'live', bucket, count }));
}
