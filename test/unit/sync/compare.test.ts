import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatUidSet, uidSetOf, uidsAscending } from '../../../src/base/uid-set.ts';
import type { StoredMessage } from '../../../src/store/store.ts';
import { compareFolder } from '../../../src/sync/compare.ts';

const row = (id: number, uid: number, more: Partial<StoredMessage> = {}): StoredMessage => ({
  id,
  uid,
  uidValidity: 7,
  flags: '',
  isVanished: false,
  isHeld: false,
  ...more,
});
const uids = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 });

describe('a folder compared with its whole listing', () => {
  it('is, after the plan was carried out, what the server has', () => {
    fc.assert(
      fc.property(uids, uids, uids, (live, gone, server) => {
        const tombstones = gone.filter((uid) => !live.includes(uid));
        const stored = [
          ...live.map((uid) => row(uid, uid)),
          ...tombstones.map((uid) => row(uid + 100, uid, { isVanished: true })),
        ];
        const input = { uidValidity: 7, stored, uids: uidSetOf(server), rows: [], quarantined: [] };
        const result = compareFolder(input);
        const after = new Set(live);
        for (const id of result.missingIds) after.delete(id);
        for (const id of result.reviveIds) after.add(id - 100);
        for (const uid of uidsAscending(result.pending)) after.add(uid);
        expect([...after].sort((a, b) => a - b)).toEqual([...server].sort((a, b) => a - b));
        expect(result.liveCount).toBe(live.length);
      }),
    );
  });

  it('misses the rows of a former UIDVALIDITY once nothing is pending that may be one of them', () => {
    const stored = [row(1, 1), row(2, 2, { uidValidity: 6 }), row(3, 3, { uidValidity: 6, isVanished: true })];
    const input = { uidValidity: 7, stored, rows: [], quarantined: [] };
    expect(compareFolder({ ...input, uids: [[1, 2]] })).toMatchObject({
      pending: [[2, 2]],
      missingIds: [],
      liveCount: 1,
    });
    expect(compareFolder({ ...input, uids: [[1, 1]] })).toMatchObject({ pending: [], missingIds: [2], liveCount: 2 });
  });

  it('changes only the flags that differ', () => {
    const rows = [
      { uid: 1, flags: '\\Seen', modseq: 5n },
      { uid: 2, flags: '', modseq: 6n },
    ];
    const result = compareFolder({
      uidValidity: 7,
      stored: [row(1, 1), row(2, 2)],
      uids: [[1, 2]],
      rows,
      quarantined: [],
    });
    expect(result.flagChanges).toEqual([{ uid: 1, flags: '\\Seen', modseq: 5n }]);
  });

  it('finds the same changes in whatever order rows come, tombstones that come back included', () => {
    const flags = fc.dictionary(fc.integer({ min: 1, max: 9 }).map(String), fc.constantFrom('', 'a', 'b'));
    fc.assert(
      fc.property(flags, flags, fc.boolean(), (before, after, isReversed) => {
        const stored = Object.entries(before).map(([uid, text]) =>
          row(Number(uid), Number(uid), { flags: text, isVanished: Number(uid) % 3 === 0 }),
        );
        const rows = Object.entries(after).map(([uid, text]) => ({
          uid: Number(uid),
          flags: text,
          modseq: null,
          size: 0,
        }));
        const { flagChanges } = compareFolder({
          uidValidity: 7,
          stored: isReversed ? stored.toReversed() : stored,
          uids: uidSetOf(rows.map(({ uid }) => uid)),
          rows: isReversed ? rows : rows.toReversed(),
          quarantined: [],
        });
        const changed = Object.keys(after).filter((uid) => uid in before && before[uid] !== after[uid]);
        expect(new Set(flagChanges.map(({ uid }) => uid))).toEqual(new Set(changed.map(Number)));
      }),
    );
  });

  it('fetches what replaced a row, revives nothing by it, and leaves the row to what comes', () => {
    const result = compareFolder({
      uidValidity: 7,
      stored: [row(1, 1), row(2, 2, { isVanished: true }), row(3, 3)],
      uids: [[1, 3]],
      rows: [{ uid: 1, flags: '\\Seen', modseq: null }],
      quarantined: [],
      replaced: [[1, 2]],
    });
    expect([formatUidSet(result.pending), result.reviveIds, result.missingIds, result.flagChanges]).toEqual([
      '1:2',
      [],
      [],
      [],
    ]);
  });

  it('leaves quarantined UIDs where they are', () => {
    const result = compareFolder({ uidValidity: 7, stored: [], uids: [[1, 5]], rows: [], quarantined: [[2, 3]] });
    expect(formatUidSet(result.pending)).toBe('1,4:5');
  });

  it('knows nothing of rows under another UIDVALIDITY', () => {
    const result = compareFolder({ uidValidity: 8, stored: [row(1, 1)], uids: [[1, 1]], rows: [], quarantined: [] });
    expect([formatUidSet(result.pending), result.missingIds]).toEqual(['1', []]);
  });
});
