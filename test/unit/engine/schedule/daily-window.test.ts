import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTimeZone } from '../../../../src/base/time-zone.ts';
import type { Rules } from '../../../../src/engine/schedule/account.ts';
import { dailyDueMs, dailySpreadMs, windowDay } from '../../../../src/engine/schedule/daily-window.ts';
import { nextDue, scopeAt } from '../../../../src/engine/schedule.ts';
import {
  day,
  hour,
  makeAccount,
  makeFolder,
  makeRules,
  minute,
  noonMs,
  second,
  timeOfDayMs,
} from '../schedule-fixture.ts';

const window = (start: string, spreadMs = 0, zone = 'Europe/Warsaw'): Rules['daily'] => ({
  zone: createTimeZone(zone),
  startMs: timeOfDayMs(start),
  spreadMs,
});
const low = (fullSyncedMs: number | null) => makeAccount([makeFolder({ priority: 'low', fullSyncedMs })]);
const isDue = (daily: Rules['daily'], lastMs: number, nowMs: number): boolean =>
  scopeAt(low(lastMs), makeRules({ daily }), nowMs) !== null;
const dateOf = (daily: Rules['daily'], ms: number): string =>
  new Date(windowDay(daily, ms) * day).toISOString().slice(0, 10);

describe('the daily pass of low-priority folders', () => {
  it.each([
    ['spring days, one without its 02:30', '2026-03-27T12:00:00Z', 4, '02:30'],
    ['autumn days, one with its 02:30 twice', '2026-10-23T12:00:00Z', 4, '02:30'],
    ['autumn days, at the hour that comes again', '2026-10-23T12:00:00Z', 4, '02:00'],
    ['an ordinary month', '2026-11-01T12:00:00Z', 30, '20:00'],
    ['midnights', '2026-10-20T12:00:00Z', 10, '00:00'],
  ])('is run once for each local date: %s', (_, from, days, start) => {
    const daily = window(start, 10 * minute);
    let last = Date.parse(from);
    const dates: string[] = [];
    for (let ms = Date.parse(from); ms < Date.parse(from) + days * day; ms += minute) {
      if (!isDue(daily, last, ms)) continue;
      last = ms + 25 * minute; // it takes a while: into the repeated hour, too
      dates.push(dateOf(daily, last));
    }
    expect(new Set(dates).size).toBe(dates.length);
    expect(dates.length).toBe(days);
  });

  it('is due once after the start, at the latest a spread later, for any last pass, start, zone and account', () => {
    const instant = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-12-31') });
    const zone = fc.constantFrom('Europe/Warsaw', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu');
    const minutes = fc.nat(24 * 60 - 1);
    fc.assert(
      fc.property(instant, minutes, zone, fc.nat(1000), (lastMs, startMinute, name, acntid) => {
        const daily = { zone: createTimeZone(name), startMs: startMinute * minute, spreadMs: hour };
        const dueMs = dailyDueMs(daily, acntid, lastMs);
        expect(dueMs).toBeGreaterThan(lastMs);
        expect(dueMs - lastMs).toBeLessThan(26 * hour);
        expect(windowDay(daily, dueMs)).toBe(windowDay(daily, lastMs) + 1);
        expect(windowDay(daily, dueMs - hour)).toBe(windowDay(daily, lastMs));
        expect(dailyDueMs(daily, acntid, dueMs)).toBeGreaterThan(dueMs + 20 * hour);
      }),
    );
  });

  it('is not run again when the clock is set back by up to a day, and is when it was years ahead', () => {
    const daily = window('20:00');
    const ranMs = Date.parse('2026-11-24T19:05:00Z'); // 20:05 in Warsaw
    for (const back of [second, hour, 6 * hour, day]) expect(isDue(daily, ranMs, ranMs + minute - back)).toBe(false);
    expect(isDue(daily, ranMs, ranMs + day)).toBe(true);
    expect(isDue(daily, ranMs + 3650 * day, ranMs)).toBe(true);
  });

  it('that was missed for days is run once, and the day’s own window then counts as run', () => {
    const daily = window('20:00', hour);
    const at2001 = Date.parse('2026-11-24T19:01:00Z');
    expect(isDue(daily, at2001 - 5 * day, at2001)).toBe(true);
    expect(nextDue(low(at2001), makeRules({ daily }), at2001)?.atMs).toBeGreaterThan(at2001 + 23 * hour);
  });

  it('does not come twice because the spread grew with the number of accounts', () => {
    const at2001 = Date.parse('2026-11-24T19:01:00Z');
    for (const spreadMs of [0, minute, hour])
      expect(isDue(window('20:00', spreadMs), at2001, at2001 + hour)).toBe(false);
  });

  it('of a folder that never had a full pass is due at once', () => {
    expect(nextDue(low(null), makeRules(), noonMs)).toMatchObject({ atMs: 0, rule: 'daily', class: 'daily' });
  });
});

describe('the spread', () => {
  it('grows with the accounts, up to an hour', () => {
    expect([0, 1, 2, 1000, 1_000_000].map(dailySpreadMs)).toEqual([0, 0, 500, 499_500, hour]);
  });

  it('lets no more than a few of a thousand accounts begin in one second', () => {
    const daily = window('20:00', dailySpreadMs(1000));
    const perSecond = new Map<number, number>();
    for (let acntid = 1; acntid <= 1000; acntid += 1) {
      const at = Math.floor(dailyDueMs(daily, acntid, noonMs) / second);
      perSecond.set(at, (perSecond.get(at) ?? 0) + 1);
    }
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(12);
    expect(Math.max(...perSecond.keys()) - Math.min(...perSecond.keys())).toBeLessThan(500);
  });
});
