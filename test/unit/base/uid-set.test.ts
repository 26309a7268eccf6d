import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatUidSet,
  hasUid,
  highestUids,
  intersectUids,
  parseUidSet,
  subtractUids,
  uidCount,
  uidMax,
  uidSetOf,
  uidsAscending,
  unionUids,
} from '../../../src/base/uid-set.ts';

const uids = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 });
const sorted = (numbers: Iterable<number>): number[] => [...new Set(numbers)].sort((a, b) => a - b);
const members = (set: Parameters<typeof uidsAscending>[0]): number[] => [...uidsAscending(set)];

describe('a UID set', () => {
  it('holds exactly the UIDs it was made of, once each and in order', () => {
    fc.assert(
      fc.property(uids, (list) => {
        expect(members(uidSetOf(list))).toEqual(sorted(list));
      }),
    );
  });

  it('unites, subtracts and intersects like a set of numbers', () => {
    fc.assert(
      fc.property(uids, uids, (a, b) => {
        const [x, y] = [uidSetOf(a), uidSetOf(b)];
        expect(members(unionUids(x, y))).toEqual(sorted([...a, ...b]));
        expect(members(subtractUids(x, y))).toEqual(sorted(a.filter((uid) => !b.includes(uid))));
        expect(members(intersectUids(x, y))).toEqual(sorted(a.filter((uid) => b.includes(uid))));
      }),
    );
  });

  it('is the same after being written and read', () => {
    fc.assert(
      fc.property(uids, (list) => {
        expect(parseUidSet(formatUidSet(uidSetOf(list)))).toEqual(uidSetOf(list));
      }),
    );
  });

  it('never has touching ranges, so that equal sets are equal text', () => {
    fc.assert(
      fc.property(uids, uids, (a, b) => {
        const set = unionUids(uidSetOf(a), uidSetOf(b));
        for (let index = 1; index < set.length; index += 1)
          expect(set[index]?.[0]).toBeGreaterThan((set[index - 1]?.[1] ?? 0) + 1);
      }),
    );
  });

  it('knows its members, its size and its highest', () => {
    fc.assert(
      fc.property(uids, fc.integer({ min: 1, max: 60 }), fc.nat(50), (list, uid, count) => {
        const set = uidSetOf(list);
        expect(hasUid(set, uid)).toBe(list.includes(uid));
        expect(uidCount(set)).toBe(new Set(list).size);
        expect(members(highestUids(set, count))).toEqual(count === 0 ? [] : sorted(list).slice(-count));
      }),
    );
  });

  it('leaves out what is no UID', () => {
    expect(uidSetOf([0, -1, 1.5, Number.NaN, uidMax + 1, uidMax])).toEqual([[uidMax, uidMax]]);
  });

  it.each(['*', '0', '1:*', 'a', '1,,2', '4294967296'])('refuses %j', (text) => {
    expect(() => parseUidSet(text)).toThrow(RangeError);
  });
});
