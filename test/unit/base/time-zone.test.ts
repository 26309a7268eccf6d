import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLocalClock } from '../../../src/base/clock.ts';
import { createTimeZone } from '../../../src/base/time-zone.ts';

const zones = ['UTC', 'Europe/Warsaw', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia'];
const day = 86_400_000;
const minute = 60_000;

describe('local time as arithmetic', () => {
  it('is what Intl says, for any zone and instant', () => {
    const instant = fc.integer({ min: Date.parse('2005-01-01'), max: Date.parse('2035-01-01') });
    fc.assert(
      fc.property(fc.constantFrom(...zones), instant, (name, ms) => {
        const { date, time } = createLocalClock(name)(new Date(ms));
        const shown = new Date(ms + createTimeZone(name).offsetMs(ms)).toISOString();
        expect(shown.slice(0, 19)).toBe(`${date}T${time}`);
      }),
    );
  });

  it.each([
    ['Europe/Warsaw', '2026-03-29', 'a night that skips an hour'],
    ['Europe/Warsaw', '2026-10-25', 'a night that repeats an hour'],
    ['America/New_York', '2026-11-01', 'a night that repeats an hour, west of Greenwich'],
    ['Australia/Lord_Howe', '2026-10-04', 'a change of half an hour'],
    ['Pacific/Apia', '2011-12-30', 'a date that does not exist'],
    ['Asia/Kathmandu', '2026-05-05', 'an offset with three quarters'],
  ])('%s, %s: the first instant of every minute, in %s', (name, date) => {
    const zone = createTimeZone(name);
    const midnight = Date.parse(`${date}T00:00:00Z`);
    const instants = Array.from({ length: 5 * 24 * 60 }, (_, index) => midnight - 2.5 * day + index * minute);
    for (let localMs = midnight - 2 * 60 * minute; localMs < midnight + day; localMs += minute) {
      const first = instants.find((ms) => ms + zone.offsetMs(ms) >= localMs);
      expect(zone.firstInstantAt(localMs)).toBe(first);
    }
  });
});
