import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { day, hour, makeRules, minute, second, timeOfDayMs, warsaw } from '../unit/engine/schedule-fixture.ts';
import { runWorld, type Server, type WorldOptions, type WorldReport } from './world.ts';

/** Wakes once a second, or after five when all that is due waits for its own account. */
const toleranceMs = 10 * second;

/** All intervals of the default configuration times `factor`. */
const rulesOf = (factor: number, dailyStart: string) => (spreadMs: number) =>
  makeRules({
    recentSeconds: 600 * factor,
    recentSecondsAway: 1800 * factor,
    fullSeconds: 3600 * factor,
    fullSecondsAway: 4800 * factor,
    daily: { zone: warsaw, startMs: timeOfDayMs(dailyStart), spreadMs },
  });

const well = (name: string): Server => ({ name, group: 'well', passMs: [200, 3 * second] });
const many = (count: number, of: (index: number) => Server): Server[] =>
  Array.from({ length: count }, (_, index) => of(index));

const options = (more: Partial<WorldOptions>): WorldOptions => ({
  seed: 1,
  startMs: Date.parse('2026-10-05T10:00:00Z'),
  days: 30,
  rules: rulesOf(1, '20:00'),
  timeZone: 'Europe/Warsaw',
  dailyStart: '20:00',
  ceilings: { slots: { send: 16, file: 16, sync: 224, read: 16 }, connectionsPerHost: 20, connectionsPerAccount: 3 },
  servers: [],
  newShare: 0.1,
  awayMs: 22 * hour,
  hereMs: hour,
  outboxMs: 40 * minute,
  jumps: [],
  kills: [],
  losses: [],
  ...more,
});

const nextDate = (date: string): string => new Date(Date.parse(date) + day).toISOString().slice(0, 10);

/** Dates that a folder's daily pass was run for twice, or left out. */
function flawsOf({ referee, accounts }: WorldReport, isJudged: (acntid: number) => boolean): string[] {
  return [...referee.dates].flatMap(([key, dates]) => {
    const acntid = Math.floor(key / 100);
    if (!isJudged(acntid) || accounts.length < acntid) return [];
    return dates.slice(1).flatMap((date, index) => {
      const before = dates[index] ?? '';
      return date === nextDate(before) ? [] : [`folder ${key}: ${before}, then ${date}`];
    });
  });
}

/** Every daily folder was run for as many dates as went by, give or take the first and the last. */
function expectDates(report: WorldReport, days: number, isJudged: (acntid: number) => boolean): void {
  expect(flawsOf(report, isJudged)).toEqual([]);
  for (const account of report.accounts.filter(({ acntid }) => isJudged(acntid)))
    for (const { emfdid } of account.folders.filter(({ priority }) => priority === 'low'))
      expect(report.referee.dates.get(account.acntid * 100 + emfdid)?.length ?? 0).toBeGreaterThanOrEqual(days - 1);
}

describe('a month of a thousand accounts', () => {
  const dead: Server = { ...well('dead.example.com'), group: 'dead', dead: [6 * day, 8 * day] };
  const servers: Server[] = [
    ...many(400, () => ({ ...well('big.example.com') })),
    ...many(350, (index) => well(`mail${index % 25}.example.com`)),
    ...many(50, () => ({ name: 'slow.example.com', group: 'slow', passMs: [150 * second, 400 * second] as const })),
    ...many(60, () => dead),
    ...many(60, () => ({
      ...well('strict.example.com'),
      group: 'strict',
      failure: { oneIn: 20, code: 'throttled' as const, namedMs: 5 * minute },
    })),
    ...many(80, (index) => ({
      ...well(`flaky${index % 8}.example.com`),
      group: 'flaky',
      failure: { oneIn: 50, code: 'connection_lost' as const },
    })),
  ];
  const isWell = (acntid: number): boolean => servers[acntid - 1]?.group === 'well';

  it('keeps every interval and every daily window through DST, jumping clocks, kills and lost job databases; one slow or dead server is nobody else’s', async () => {
    const report = await runWorld(
      options({
        servers,
        rules: rulesOf(36, '20:00'),
        jumps: [
          [13.2 * day, hour],
          [15.4 * day, -hour],
          [17 * day, day],
          [18 * day, -day],
        ],
        kills: [4.3 * day, 11.7 * day, 21.2 * day],
        losses: [8.5 * day, 23 * day],
      }),
    );
    const { referee, firstSyncsMs, deadTries } = report;
    expect(referee.passCount()).toBeGreaterThan(70_000);
    expect(referee.worstMs.get('well')).toBeLessThan(toleranceMs);
    // Three in a row are throttled, or cut off, by chance: the server rests, five minutes or half a minute.
    expect(referee.worstMs.get('strict')).toBeLessThan(7 * minute);
    expect(referee.worstMs.get('flaky')).toBeLessThan(3 * minute);
    // Passes of minutes on twenty connections: they wait for each other, and for nobody else.
    expect(referee.worstMs.get('slow')).toBeLessThan(30 * minute);
    for (const account of report.accounts)
      expect(referee.overdueMs(account, report.nowMs)).toBeLessThan(account.failure ? hour : 30 * minute);
    expectDates(report, 30, isWell);
    // Where the server was dead, dates were missed; none was run twice.
    for (const dates of referee.dates.values()) expect(new Set(dates).size).toBe(dates.length);
    expect(Math.max(...firstSyncsMs.values())).toBeLessThan(day);
    expect(report.outboxCount).toBeGreaterThan(800);
    expect(report.outboxWorstMs).toBeLessThan(3 * second);
    // Two days: one try each quarter of an hour, not one for each of 60 accounts.
    expect(deadTries).toBeLessThan(250);
  }, 900_000);
});

describe('an overloaded engine', () => {
  it('lets nobody starve: all have their turns, outbox mail does not wait, first syncs finish', async () => {
    const servers = many(80, (index) => ({
      name: `mail${index % 10}.example.com`,
      group: 'all',
      passMs: [20 * second, 60 * second] as const,
    }));
    const report = await runWorld(
      options({
        servers,
        days: 2,
        outboxMs: minute,
        ceilings: { slots: { send: 4, file: 4, sync: 2, read: 1 }, connectionsPerHost: 2, connectionsPerAccount: 1 },
      }),
    );
    const counts = servers.map((_, index) => report.passesOf.get(index + 1) ?? 0);
    // A first sync comes in slices: more passes, not more time.
    expect(Math.min(...counts) * 3).toBeGreaterThan(Math.max(...counts));
    expect(report.referee.worstMs.get('all')).toBeGreaterThan(5 * minute);
    expect(report.referee.worstMs.get('all')).toBeLessThan(2 * hour);
    expect(report.outboxWorstMs).toBeLessThan(3 * second);
    expect(report.firstSyncsMs.get('all')).toBeLessThan(2 * day);
  }, 600_000);
});

describe('any few days', () => {
  const time = fc.integer({ min: hour, max: 3 * day });
  const world = fc.record({
    seed: fc.integer(),
    start: fc.constantFrom('2026-03-27T10:00:00Z', '2026-10-23T10:00:00Z', '2026-12-30T10:00:00Z'),
    dailyStart: fc.constantFrom('20:00', '02:30', '00:00', '23:59'),
    ahead: fc.tuple(time, fc.integer({ min: minute, max: day })),
    back: fc.tuple(time, fc.integer({ min: -day, max: -minute })),
    kills: fc.array(time, { maxLength: 3 }),
    losses: fc.array(time, { maxLength: 2 }),
  });

  it('with the default intervals, mishaps at random: intervals are kept, and no date is run twice or left out', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ seed, start, dailyStart, ahead, back, kills, losses }) => {
        const report = await runWorld(
          options({
            seed,
            dailyStart,
            kills,
            losses,
            rules: rulesOf(1, dailyStart),
            jumps: [ahead, back],
            startMs: Date.parse(start),
            days: 4,
            servers: many(12, (index) => well(`mail${index % 3}.example.com`)),
          }),
        );
        expect(report.referee.worstMs.get('well')).toBeLessThan(toleranceMs);
        expect(flawsOf(report, () => true)).toEqual([]);
        expect(report.outboxWorstMs).toBeLessThan(3 * second);
      }),
      { numRuns: 8 },
    );
  }, 600_000);

  it('after a clock that was years ahead, nobody is parked', async () => {
    const report = await runWorld(
      options({
        servers: many(20, (index) => well(`mail${index % 3}.example.com`)),
        days: 3,
        jumps: [
          [day, 3650 * day],
          [day + hour, -3650 * day],
        ],
      }),
    );
    expect(report.referee.worstMs.get('well')).toBeLessThan(toleranceMs);
    for (const account of report.accounts) {
      expect(report.referee.overdueMs(account, report.nowMs)).toBeLessThan(minute);
      expect(account.checkedMs).toBeGreaterThan(report.nowMs - hour);
    }
  }, 60_000);
});
