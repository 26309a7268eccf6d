import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subtractUids, uidCount, uidSetOf, uidsAscending, unionUids } from '../../../src/base/uid-set.ts';
import { halves, nextWindow, windowCountFirst, windowCountMax } from '../../../src/sync/window.ts';

const uidSets = fc.uniqueArray(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 400 }).map(uidSetOf);

describe('windows', () => {
  it('settle every pending UID once, newest first', () => {
    fc.assert(
      fc.property(uidSets, fc.integer({ min: 1, max: 50 }), (pending, countMax) => {
        let rest = pending;
        const seen: number[] = [];
        for (let index = 0; rest.length > 0; index += 1) {
          const window = nextWindow(rest, index, countMax);
          expect(uidCount(window)).toBeLessThanOrEqual(countMax);
          seen.push(...[...uidsAscending(window)].reverse());
          rest = subtractUids(rest, window);
        }
        expect(seen).toEqual([...uidsAscending(pending)].reverse());
      }),
    );
  });

  it('begin short and grow to a bound', () => {
    const pending = [[1, 100_000]] as const;
    expect(uidCount(nextWindow(pending, 0))).toBe(windowCountFirst);
    expect(uidCount(nextWindow(pending, 50))).toBe(windowCountMax);
  });

  it('are halved without losing or doubling a UID', () => {
    fc.assert(
      fc.property(uidSets, (uids) => {
        const [upper, lower] = halves(uids, uidCount(uids));
        expect(unionUids(upper, lower)).toEqual(uids);
        expect(uidCount(upper) + uidCount(lower)).toBe(uidCount(uids));
        expect(uidCount(upper)).toBeGreaterThan(0);
      }),
    );
  });
});
