import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSeen, takeArrivals } from '../../../../src/engine/schedule/presence.ts';
import { day, minute, noonMs, second } from '../schedule-fixture.ts';

describe('a user', () => {
  it('is logged in for the timeout after being seen, also by a clock that runs ahead, but not by one that is years ahead', () => {
    const seen = [null, noonMs, noonMs - 899 * second, noonMs - 900 * second, noonMs + minute, noonMs + 3650 * day];
    expect(seen.map((ms) => isSeen(ms, 900, noonMs))).toEqual([false, true, true, false, true, false]);
  });
});

describe('arrivals', () => {
  it('are told once, and again after the user was away', () => {
    const known = new Map<string, number>();
    const take = (nowMs: number, ...seen: [string, number][]) => takeArrivals(known, new Map(seen), 900, nowMs);
    expect(take(noonMs, ['anna', noonMs], ['bob', noonMs - day])).toEqual(['anna']);
    expect(take(noonMs + minute, ['anna', noonMs + minute])).toEqual([]);
    expect(take(noonMs + 20 * minute, ['anna', noonMs + 20 * minute])).toEqual(['anna']);
    expect(take(noonMs + 20 * minute)).toEqual([]);
  });

  it('are exactly those who were not logged in at the last look', () => {
    const user = fc.constantFrom('a', 'b', 'c');
    const looks = fc.array(fc.tuple(fc.nat(1200), fc.uniqueArray(user)), { maxLength: 30 });
    fc.assert(
      fc.property(looks, (steps) => {
        const known = new Map<string, number>();
        const model = new Map<string, number>();
        let nowMs = noonMs;
        for (const [seconds, users] of steps) {
          nowMs += seconds * second;
          const expected = users.filter((name) => nowMs - (model.get(name) ?? 0) >= 900 * second);
          expect(takeArrivals(known, new Map(users.map((name) => [name, nowMs])), 900, nowMs)).toEqual(expected);
          for (const name of users) model.set(name, nowMs);
        }
      }),
    );
  });
});
