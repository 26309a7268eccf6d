import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MetadataRow } from '../../../src/imap/session.ts';
import type { StoredIdentity } from '../../../src/store/store.ts';
import { holdsSameMail } from '../../../src/sync/renames.ts';

const identity = fc.record({
  size: fc.nat(3),
  internalDate: fc.constantFrom('2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', null),
  messageIdHeader: fc.constantFrom('<a@b>', '<c@d>', null),
});
const folder = fc.dictionary(fc.integer({ min: 1, max: 5 }).map(String), identity);
const storedOf = (rows: Record<string, Pick<StoredIdentity, 'size' | 'internalDate' | 'messageIdHeader'>>) =>
  Object.entries(rows).map(([uid, row]) => ({ id: 1, uid: Number(uid), emailId: null, ...row }));
const observedOf = (rows: Record<string, Pick<StoredIdentity, 'size' | 'internalDate' | 'messageIdHeader'>>) =>
  storedOf(rows).map((row): MetadataRow => ({ ...row, flags: '', modseq: null }));

describe('mail that proves a renamed folder', () => {
  it('is the same under every UID that both have, and there is some', () => {
    fc.assert(
      fc.property(folder, folder, (stored, observed) => {
        const common = Object.keys(stored).filter((uid) => uid in observed);
        const isSame = common.every((uid) => JSON.stringify(stored[uid]) === JSON.stringify(observed[uid]));
        expect(holdsSameMail(storedOf(stored), observedOf(observed))).toBe(common.length > 0 && isSame);
      }),
    );
  });

  it('may lack what was deleted, and have more', () => {
    const mail = { size: 1, internalDate: null, messageIdHeader: '<a@b>' };
    expect(holdsSameMail(storedOf({ 1: mail, 2: mail }), observedOf({ 2: mail, 3: mail }))).toBe(true);
    expect(holdsSameMail([], observedOf({ 2: mail }))).toBe(false);
  });
});
