import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTime, toMs } from '../../../src/base/clock.ts';
import { openSqlite } from '../../../src/base/sqlite.ts';
import { sleepMs } from '../../../src/engine/loop/outbox-wait.ts';
import { isNoTime } from '../../../src/store/sqlite/no-time.ts';

/** They fit the form of an instant column. */
const noTimes = [
  '2026-00-00T00:00:00.000Z',
  '2026-13-01T00:00:00.000Z',
  '2026-02-30T00:00:00.000Z',
  '2027-02-29T00:00:00.000Z',
  '2026-11-26T24:00:00.000Z',
  '2026-11-26T24:30:00.000Z',
  '2026-11-26T25:00:00.000Z',
  '2026-11-26T12:60:00.000Z',
  '2026-11-26T23:59:60.000Z',
  '9999-99-99T99:99:99.999Z',
];

describe('an instant', () => {
  const database = openSqlite(':memory:');
  const statement = database.prepare<[string], { found: number }>(
    `SELECT ${isNoTime('at')} AS found FROM (SELECT ? AS at)`,
  );
  const isNoTimeInSql = (at: string): boolean => statement.get(at)?.found === 1;

  it.each(noTimes)('that no clock will ever show is no time, for us and for SQLite: %s', (at) => {
    expect(isTime(at)).toBe(false);
    expect(isNoTimeInSql(at)).toBe(true);
  });
  it('that a clock can show is one, for both', () => {
    const dates = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(dates, (date) => {
        const at = date.toISOString();
        expect(toMs(at)).toBe(date.getTime());
        expect(isTime(at)).toBe(true);
        expect(isNoTimeInSql(at)).toBe(false);
      }),
    );
  });
  it('that is none is slept through for a minute, neither for nothing nor for ever', () => {
    expect(sleepMs('2026-13-01T00:00:00.000Z', 0)).toBe(60_000);
    expect(sleepMs('1970-01-01T00:00:05.000Z', 2000)).toBe(3000);
    expect(sleepMs('1970-01-01T00:00:05.000Z', 9000)).toBe(0);
  });
  it('that is missing or none is no number', () => {
    expect([toMs(null), toMs(''), toMs('2026-13-01T00:00:00.000Z')]).toEqual([null, null, null]);
  });
});
