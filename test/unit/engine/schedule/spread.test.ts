import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fractionOf, jitterMs, spreadOverdue } from '../../../../src/engine/schedule/spread.ts';
import { hour, minute, noonMs } from '../schedule-fixture.ts';

describe('a fraction', () => {
  it('is spread evenly over numbers that follow each other, and always the same', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let number = 1; number <= 10_000; number += 1) {
      const tenth = Math.floor(fractionOf(number) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.min(...tenths)).toBeGreaterThan(900);
    expect(Math.max(...tenths)).toBeLessThan(1100);
    expect(fractionOf(53)).toBe(fractionOf(53));
  });
});

describe('jitter', () => {
  it('adds at most a tenth of the wait and never more than five minutes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(100), fc.integer({ min: -hour, max: 48 * hour }), (acntid, turn, waitMs) => {
        const ms = jitterMs(acntid, turn, waitMs);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(Math.min(5 * minute, Math.max(0, waitMs) / 10));
      }),
    );
  });
});

describe('what is overdue after a start', () => {
  it('begins at once where there are few accounts, within a minute where there are many', () => {
    const starts = (count: number): number[] =>
      Array.from({ length: 1000 }, (_, acntid) => spreadOverdue(acntid, noonMs - hour, count, noonMs) - noonMs);
    expect(Math.max(...starts(1))).toBeLessThan(5);
    expect(Math.max(...starts(1000))).toBeLessThan(5000);
    expect(Math.max(...starts(100_000))).toBeLessThan(minute);
    expect(Math.min(...starts(100_000))).toBeGreaterThanOrEqual(0);
  });

  it('leaves alone what is not due', () => {
    expect(spreadOverdue(53, noonMs + 1, 100_000, noonMs)).toBe(noonMs + 1);
  });
});
