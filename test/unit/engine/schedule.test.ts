import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLocalClock } from '../../../src/base/clock.ts';
import {
  type DueAccount,
  type DueFolder,
  dueScope,
  type Intervals,
  isDailyDue,
  type Now,
} from '../../../src/engine/schedule.ts';

const warsaw = createLocalClock('Europe/Warsaw');
const at = (instant: string | number): Now => {
  const date = new Date(instant);
  return { ms: date.getTime(), local: warsaw(date), toLocal: (ms) => warsaw(new Date(ms)) };
};
const hour = 3_600_000;
const intervals: Intervals = {
  recentSeconds: 600,
  recentSecondsAway: 1800,
  fullSeconds: 3600,
  fullSecondsAway: 4800,
  lowStart: '20:00',
  presenceSeconds: 900,
};
const now = at('2026-11-24T12:00:00Z');
const folder = (more: Partial<DueFolder> = {}): DueFolder => ({
  emfdid: 1,
  priority: 'high',
  isSelectable: true,
  isFirstSynced: true,
  recentSyncedMs: now.ms,
  fullSyncedMs: now.ms,
  retryMs: null,
  ...more,
});
const account = (folders: readonly DueFolder[], more: Partial<DueAccount> = {}): DueAccount => ({
  enabled: true,
  retryMs: null,
  checkedMs: now.ms,
  lastSeenMs: null,
  folders,
  ...more,
});

describe('a high-priority folder', () => {
  it('is due after its interval, which is shorter while the user is there', () => {
    const one = account([folder({ recentSyncedMs: now.ms - 700_000 })]);
    expect(dueScope(one, intervals, now)).toBeNull();
    expect(dueScope({ ...one, lastSeenMs: now.ms - 100_000 }, intervals, now)).toMatchObject({ recent: [1], full: [] });
    expect(dueScope({ ...one, lastSeenMs: now.ms - 1_000_000 }, intervals, now)).toBeNull();
  });

  it('is due in full after the full interval', () => {
    const one = account([folder({ fullSyncedMs: now.ms - 4_800_000 })]);
    expect(dueScope(one, intervals, now)).toMatchObject({ full: [1] });
  });

  it('with a time in the future counts as never synced: the clock was set back', () => {
    expect(dueScope(account([folder({ recentSyncedMs: now.ms + hour })]), intervals, now)).toMatchObject({
      recent: [1],
    });
  });
});

describe('what is not due', () => {
  it.each([
    ['a disabled account', account([folder({ isFirstSynced: false })], { enabled: false })],
    ['an account that is backed off', account([folder({ isFirstSynced: false })], { retryMs: now.ms + 1000 })],
    ['a folder that is off', account([folder({ priority: 'off', isFirstSynced: false })])],
    ['a folder that is backed off', account([folder({ recentSyncedMs: null, retryMs: now.ms + 1000 })])],
    ['a folder that holds no mail', account([folder({ isSelectable: false, isFirstSynced: false })])],
  ])('%s', (_, one) => {
    expect(dueScope(one, intervals, now)).toBeNull();
  });

  it('never for years: a retry time that a clock jump put there holds for a day', () => {
    expect(
      dueScope(account([folder({ recentSyncedMs: null })], { retryMs: now.ms + 3650 * 24 * hour }), intervals, now),
    ).not.toBeNull();
  });
});

describe('what is due at once', () => {
  it.each([
    ['a new account', account([], { checkedMs: null })],
    ['a folder never synced, whatever its priority', account([folder({ priority: 'low', isFirstSynced: false })])],
  ])('%s', (_, one) => {
    expect(dueScope(one, intervals, now)).not.toBeNull();
  });
});

describe('the daily pass of low-priority folders', () => {
  it.each([
    ['a spring day whose 02:30 does not exist', '2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z', '02:30'],
    ['an autumn day whose 02:30 comes twice', '2026-10-24T12:00:00Z', '2026-10-26T12:00:00Z', '02:30'],
    ['an ordinary month', '2026-11-01T20:00:00Z', '2026-12-01T20:00:00Z', '20:00'],
    ['midnight', '2026-10-20T12:00:00Z', '2026-10-30T12:00:00Z', '00:00'],
  ])('is run once on each local date: %s', (_, from, to, start) => {
    let last: number | null = Date.parse(from) - 24 * hour;
    const dates: string[] = [];
    for (let ms = Date.parse(from); ms < Date.parse(to); ms += 5 * 60_000) {
      if (!isDailyDue(last, start, at(ms))) continue;
      last = ms;
      dates.push(at(ms).local.date);
    }
    expect(new Set(dates).size).toBe(dates.length);
    const days = Math.round((Date.parse(to) - Date.parse(from)) / (24 * hour));
    expect(dates.length).toBeGreaterThanOrEqual(days);
    expect(dates.length).toBeLessThanOrEqual(days + 1);
  });

  it('is never due twice within the same local day’s window, for any instant and start', () => {
    const start = fc
      .tuple(fc.nat(23), fc.nat(59))
      .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
    const instant = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-12-31') });
    fc.assert(
      fc.property(instant, fc.nat(26 * 60), start, (ms, minutes, time) => {
        const later = at(ms + minutes * 60_000);
        if (!isDailyDue(ms, time, later)) return;
        expect(isDailyDue(later.ms, time, later)).toBe(false);
        expect(later.local.date > at(ms).local.date || at(ms).local.time.slice(0, 5) < time).toBe(true);
      }),
    );
  });
});
