import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  brakeReleaseMs,
  holdsDeletions,
  nextVanishedTrust,
  type ObservedNumbers,
  owesScan,
  type Plan,
  planOpened,
  planVisit,
  type StoredNumbers,
} from '../../../src/sync/plan.ts';

const stored: StoredNumbers = {
  uidValidity: 7,
  uidNext: 101,
  highestModseq: 50n,
  messageCount: 100,
  unseenCount: 3,
  isFirstSynced: true,
  pendingCount: 0,
};
const observed: ObservedNumbers = { uidValidity: 7, uidNext: 101, highestModseq: 50n, messages: 100, unseen: 3 };
const uid = fc.integer({ min: 1, max: 50 });
const anyStored = fc.record({
  uidValidity: fc.option(uid),
  uidNext: fc.option(uid),
  highestModseq: fc.option(fc.bigInt({ min: 1n, max: 50n })),
  messageCount: fc.option(fc.nat(50)),
  unseenCount: fc.option(fc.nat(5)),
  isFirstSynced: fc.boolean(),
  pendingCount: fc.nat(2),
});
const anyObserved = fc.record({
  uidValidity: fc.option(uid),
  uidNext: fc.option(uid),
  highestModseq: fc.option(fc.bigInt({ min: 1n, max: 50n })),
  messages: fc.nat(50),
  unseen: fc.option(fc.nat(5)),
});

describe('a first sync that was interrupted', () => {
  const begun = { ...stored, isFirstSynced: false, messageCount: null, unseenCount: null, uidNext: null };

  it.each<[string, Partial<StoredNumbers>, Partial<ObservedNumbers>, 'recent' | 'full', Plan['step'], boolean]>([
    ['asks for flags since its beginning', { pendingCount: 9 }, { highestModseq: 60n }, 'recent', 'delta', false],
    ['goes on first where a full pass is due, and scans then', { pendingCount: 9 }, {}, 'full', 'delta', true],
    [
      'without MODSEQ goes on first, and scans then',
      { pendingCount: 9, highestModseq: null },
      { highestModseq: null },
      'recent',
      'delta',
      true,
    ],
    [
      'without MODSEQ, and with nothing left, scans',
      { highestModseq: null },
      { highestModseq: null },
      'recent',
      'scan',
      true,
    ],
    ['before its MODSEQ was kept scans', { pendingCount: 9, highestModseq: null }, {}, 'recent', 'scan', false],
    ['of another UIDVALIDITY is a reset', { pendingCount: 9 }, { uidValidity: 8 }, 'full', 'reset', false],
  ])('%s', (_, more, observedMore, kind, step, owes) => {
    const [before, now] = [
      { ...begun, ...more },
      { ...observed, ...observedMore },
    ];
    expect([planOpened(before, now, kind).step, owesScan(before, now, kind)]).toEqual([step, owes]);
  });
});

describe('the plan of a folder', () => {
  it('skips what is unchanged, and only in a recent pass', () => {
    expect(planVisit(stored, observed, 'recent')).toEqual({ step: 'skip' });
    expect(planVisit(stored, observed, 'full').step).toBe('scan');
  });

  it.each<[string, Partial<ObservedNumbers>, string]>([
    ['a new message', { uidNext: 102, messages: 101 }, 'delta'],
    ['a deletion', { messages: 99, highestModseq: 51n }, 'delta'],
    ['a changed flag', { highestModseq: 51n }, 'delta'],
    ['a MODSEQ that went back', { highestModseq: 49n }, 'scan'],
    ['another UIDVALIDITY', { uidValidity: 8 }, 'reset'],
    ['a lower UIDVALIDITY', { uidValidity: 6 }, 'reset'],
    ['no MODSEQ any more', { highestModseq: null }, 'delta'],
    ['no MODSEQ and another number of unseen', { highestModseq: null, unseen: 4 }, 'scan'],
    ['no UIDNEXT', { uidNext: null }, 'delta'],
  ])('sees %s', (_, change, step) => {
    expect(planVisit(stored, { ...observed, ...change }, 'recent').step).toBe(step);
  });

  it('opens a folder whose STATUS was refused', () => {
    expect(planVisit(stored, null, 'recent').step).not.toBe('skip');
  });

  it('never skips a folder with work left, another generation, or another count', () => {
    fc.assert(
      fc.property(anyStored, anyObserved, (a, b) => {
        if (planVisit(a, b, 'recent').step !== 'skip') return;
        expect(a.pendingCount).toBe(0);
        expect(a.uidValidity === b.uidValidity || b.uidValidity === null).toBe(true);
        expect([a.uidNext, a.messageCount]).toEqual([b.uidNext, b.messages]);
      }),
    );
  });

  it('resets exactly when there was another UIDVALIDITY', () => {
    fc.assert(
      fc.property(anyStored, anyObserved, fc.constantFrom('recent' as const, 'full' as const), (a, b, kind) => {
        const isOther = a.uidValidity !== null && b.uidValidity !== null && a.uidValidity !== b.uidValidity;
        expect(planOpened(a, b, kind).step === 'reset').toBe(isOther);
      }),
    );
  });
});

describe('the deletion brake', () => {
  const brake = {
    vanishedCount: 600,
    liveCount: 1000,
    role: null,
    digest: 'd',
    heldDigest: null,
    heldSinceMs: null,
    nowMs: brakeReleaseMs,
  };

  it('holds more than 500 and more than 20 %, not one of them alone', () => {
    expect(holdsDeletions(brake)).toBe(true);
    expect(holdsDeletions({ ...brake, vanishedCount: 500 })).toBe(false);
    expect(holdsDeletions({ ...brake, liveCount: 3000 })).toBe(false);
  });

  it('lets go in Trash and Junk, and after two equal listings a day apart', () => {
    expect(holdsDeletions({ ...brake, role: 'trash' })).toBe(false);
    expect(holdsDeletions({ ...brake, role: 'junk' })).toBe(false);
    expect(holdsDeletions({ ...brake, heldDigest: 'd', heldSinceMs: 0 })).toBe(false);
    expect(holdsDeletions({ ...brake, heldDigest: 'd', heldSinceMs: 1 })).toBe(true);
    expect(holdsDeletions({ ...brake, heldDigest: 'other', heldSinceMs: 0 })).toBe(true);
  });
});

describe('trust in VANISHED', () => {
  it('is earned by three equal answers and lost for ever by one wrong one', () => {
    expect([0, 1, 2, 3].map((trust) => nextVanishedTrust(trust, 'equal'))).toEqual([1, 2, 3, 3]);
    expect(nextVanishedTrust(2, 'incomplete')).toBe(0);
    expect(nextVanishedTrust(3, 'wrong')).toBe(-1);
    expect(nextVanishedTrust(-1, 'equal')).toBe(-1);
  });
});
