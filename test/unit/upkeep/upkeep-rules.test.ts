import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClockGuard } from '../../../src/upkeep/clock-guard.ts';
import { describeExpiry } from '../../../src/upkeep/expire-all.ts';
import { expiryLimits } from '../../../src/upkeep/expiry-limits.ts';
import { calmWal, judgeWal, type WalState } from '../../../src/upkeep/wal-watch.ts';

const now = new Date('2027-03-01T12:00:00.000Z');
const hourMs = 3_600_000;

describe('the limits of what expires', () => {
  it('lie as many days back as configured, and nowhere where rows are kept for ever', () => {
    const days = {
      EMAIL_TOMBSTONE_RETENTION_DAYS: 30,
      EMAIL_CHANGES_RETENTION_DAYS: 1,
      EMAIL_OUTBOX_RETENTION_DAYS: null,
    };
    expect(expiryLimits(days, now)).toEqual({
      tombstonesBefore: '2027-01-30T12:00:00.000Z',
      changesBefore: '2027-02-28T12:00:00.000Z',
      outboxBefore: null,
      contentsBefore: '2027-03-01T11:00:00.000Z',
      at: '2027-03-01T12:00:00.000Z',
    });
  });
  it('are told in the log only where something went', () => {
    const none = { tombstoneCount: 0, contentCount: 0, changeCount: 0, outboxCount: 0, isDone: true };
    expect(describeExpiry(none)).toBe('');
    expect(describeExpiry({ ...none, tombstoneCount: 2, changeCount: 7 })).toBe(
      'expired: 2 rows of vanished messages, 7 changes',
    );
  });
});

describe('the clock', () => {
  const start = () => {
    const time = { wallMs: now.getTime(), monotonicMs: 5 };
    const guard = createClockGuard(
      () => new Date(time.wallMs),
      () => time.monotonicMs,
    );
    const pass = (ms: number, jumpMs = 0): boolean => {
      time.wallMs += ms + jumpMs;
      time.monotonicMs += ms;
      return guard.isTrusted();
    };
    return pass;
  };
  it('is believed while it goes with monotonic time, however slowly it is corrected', () => {
    const pass = start();
    expect([pass(0), pass(24 * hourMs), pass(1000, 2000), pass(1000, -3_500_000)]).toEqual([true, true, true, true]);
  });
  it.each([10 * 365 * 24 * hourMs, -2 * hourMs])('that jumped by %i ms is not believed for a day', (jumpMs) => {
    const pass = start();
    expect([pass(1000, jumpMs), pass(1000, -jumpMs), pass(23 * hourMs), pass(hourMs)]).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });
});

describe('the WAL', () => {
  const mib = 1024 * 1024;
  const follow = (looks: readonly (readonly [seconds: number, mib: number])[]) => {
    let state: WalState = calmWal;
    return looks.map(([seconds, size]) => {
      const verdict = judgeWal(state, size * mib, seconds * 1000);
      state = verdict.state;
      return verdict.say;
    });
  };
  it('is not spoken of while it is small, or large for less than a minute', () => {
    expect(
      follow([
        [0, 10],
        [10, 65],
        [60, 300],
        [65, 0],
        [70, 70],
        [100, 70],
      ]),
    ).toEqual([null, null, null, null, null, null]);
  });
  it('is warned of after a minute, again every ten, and the end is told', () => {
    expect(
      follow([
        [0, 65],
        [60, 90],
        [600, 100],
        [660, 200],
        [700, 64],
        [800, 64],
      ]),
    ).toEqual([
      null,
      { kind: 'held', seconds: 60 },
      null,
      { kind: 'held', seconds: 660 },
      { kind: 'freed', seconds: 700 },
      null,
    ]);
  });
  it('is never warned of more than once in ten minutes', () => {
    const looks = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 65, max: 500 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(looks, (steps) => {
        let seconds = 0;
        const times = steps.map(([wait, size]) => {
          seconds += wait;
          return [seconds, size] as const;
        });
        const said = times.filter((_, index) => follow(times)[index]?.kind === 'held').map(([at]) => at);
        for (const [index, at] of said.entries()) expect(at - (said[index - 1] ?? -600)).toBeGreaterThanOrEqual(600);
      }),
      { numRuns: 50 },
    );
  });
});
