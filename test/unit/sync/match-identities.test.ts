import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MetadataRow } from '../../../src/imap/session.ts';
import type { StoredIdentity } from '../../../src/store/store.ts';
import { matchIdentities } from '../../../src/sync/match-identities.ts';

const date = '2026-11-24T12:00:00.000Z';
const identity = (id: number, uid: number, key: string): StoredIdentity =>
  ({ id, uid, messageIdHeader: key, size: 10, internalDate: date, emailId: null }) as StoredIdentity;
const seen = (uid: number, key: string | null, emailId: string | null = null): MetadataRow => ({
  uid,
  flags: '',
  modseq: null,
  size: 10,
  internalDate: date,
  emailId,
  messageIdHeader: key,
});

describe('messages under a new UIDVALIDITY', () => {
  it('are recognised once each, and no UID is given twice, whatever was copied, lost or added', () => {
    const keys = fc.array(fc.constantFrom('<a>', '<b>', '<c>', '<d>'), { maxLength: 20 });
    fc.assert(
      fc.property(keys, keys, (before, after) => {
        const stored = before.map((key, index) => identity(index + 1, index + 1, key));
        const observed = after.map((key, index) => seen(index + 101, key));
        const matches = matchIdentities(stored, observed);
        expect(new Set(matches.map(({ id }) => id)).size).toBe(matches.length);
        expect(new Set(matches.map(({ uid }) => uid)).size).toBe(matches.length);
        for (const { id, uid } of matches) expect(before[id - 1]).toBe(after[uid - 101]);
        const count = (list: readonly string[], key: string): number => list.filter((one) => one === key).length;
        const expected = [...new Set(before)].reduce(
          (sum, key) => sum + Math.min(count(before, key), count(after, key)),
          0,
        );
        expect(matches).toHaveLength(expected);
      }),
    );
  });

  it('that are copies of each other pair in UID order', () => {
    const matches = matchIdentities([identity(1, 5, '<a>'), identity(2, 3, '<a>')], [seen(20, '<a>'), seen(10, '<a>')]);
    expect(matches.map(({ id, uid }) => [id, uid])).toEqual([
      [2, 10],
      [1, 20],
    ]);
  });

  it('are recognised by EMAILID before anything else, and never without any identity', () => {
    const byEmailId = { ...identity(1, 1, '<a>'), emailId: 'E1' };
    expect(matchIdentities([byEmailId], [seen(9, '<other>', 'E1'), seen(10, '<a>')])).toMatchObject([
      { id: 1, uid: 9 },
    ]);
    expect(matchIdentities([{ ...identity(1, 1, '<a>'), messageIdHeader: null }], [seen(9, null)])).toEqual([]);
  });
});
