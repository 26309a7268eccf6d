import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScheduledAccount, ScheduledFolder } from '../../../src/engine/schedule/account.ts';
import { pauseMs } from '../../../src/engine/schedule/holds.ts';
import { nextDue, scopeAt } from '../../../src/engine/schedule.ts';
import { day, hour, makeAccount, makeFolder, makeRules, minute, noonMs, second, seen } from './schedule-fixture.ts';

const rules = makeRules();
const high = (minutesAgo: number, more: Partial<ScheduledFolder> = {}): ScheduledFolder =>
  makeFolder({ recentSyncedMs: noonMs - minutesAgo * minute, fullSyncedMs: noonMs - minutesAgo * minute, ...more });
const scope = (account: ScheduledAccount, nowMs = noonMs) => scopeAt(account, rules, nowMs)?.scope;
const dueIn = (account: ScheduledAccount, nowMs = noonMs): number | undefined => {
  const atMs = nextDue(account, rules, nowMs)?.atMs;
  return atMs === undefined ? undefined : (atMs - nowMs) / second;
};

describe('a high-priority folder', () => {
  it('is due after its interval, which is shorter while a user is there', () => {
    const folders = [high(12)];
    expect(scope(makeAccount(folders))).toBeUndefined();
    expect(scope(makeAccount(folders, seen(noonMs - 10 * minute)))).toEqual({
      kind: 'schedule',
      recent: [1],
      full: [],
    });
    expect(scope(makeAccount(folders, seen(noonMs - 16 * minute)))).toBeUndefined();
    expect([dueIn(makeAccount(folders)), dueIn(makeAccount(folders, seen(noonMs)))]).toEqual([18 * 60, -2 * 60]);
  });

  it('is looked at when any of its account’s users is there', () => {
    expect(scope(makeAccount([high(12)], seen(null, noonMs - day, noonMs - minute)))).toMatchObject({ recent: [1] });
  });

  it('is due in full after the full interval, and a full pass counts as recent', () => {
    const folder = makeFolder({ recentSyncedMs: noonMs - 2 * hour, fullSyncedMs: noonMs - 79 * minute });
    expect(scope(makeAccount([{ ...folder, fullSyncedMs: noonMs - 80 * minute }]))).toMatchObject({ full: [1] });
    expect(scope(makeAccount([{ ...folder, fullSyncedMs: noonMs - 10 * minute }]))).toBeUndefined();
  });

  it('with a time in the future counts as never synced: the clock was set back', () => {
    const future = { recentSyncedMs: noonMs + hour, fullSyncedMs: noonMs + hour };
    expect(scope(makeAccount([makeFolder(future)]))).toMatchObject({ full: [1] });
    const older = { recentSyncedMs: noonMs + hour, fullSyncedMs: noonMs - minute };
    expect(scope(makeAccount([makeFolder(older)]))).toBeUndefined();
  });

  it('is taken along by a pass that runs anyway when it will be due within the minute', () => {
    const folders = [
      high(30, { fullSyncedMs: noonMs - 40 * minute }),
      high(29.5, { emfdid: 2 }),
      high(28, { emfdid: 3 }),
    ];
    expect(scope(makeAccount(folders))).toEqual({ kind: 'schedule', recent: [1, 2], full: [] });
    expect(scope(makeAccount(folders.slice(1)))).toBeUndefined();
  });
});

describe('what is due at once', () => {
  it.each([
    ['a new account', makeAccount([], { checkedMs: null })],
    ['an account whose folders could not be listed yet', makeAccount([], { state: 'backoff', failureCode: 'timeout' })],
    ['a folder never synced', makeAccount([makeFolder({ priority: 'low', isFirstSynced: false })])],
    ['an unfinished pass', makeAccount([makeFolder({ hasPending: true })])],
  ])('%s', (_, account) => {
    expect(scopeAt(account, rules, noonMs)).not.toBeNull();
    expect(nextDue(account, rules, noonMs)?.atMs).toBe(0);
  });
});

describe('what is not due', () => {
  it.each([
    ['a disabled account', makeAccount([makeFolder({ isFirstSynced: false })], { enabled: false }), undefined],
    [
      'an account that is backed off',
      makeAccount([makeFolder({ isFirstSynced: false })], { retryMs: noonMs + second }),
      1,
    ],
    [
      'an account on a server that rests',
      makeAccount([makeFolder({ isFirstSynced: false })], { serverRetryMs: noonMs + 3 * second }),
      3,
    ],
    ['a folder that is off', makeAccount([makeFolder({ priority: 'off', isFirstSynced: false })]), 4800],
    [
      'a folder that is backed off',
      makeAccount([makeFolder({ recentSyncedMs: null, fullSyncedMs: null, retryMs: noonMs + second })]),
      1,
    ],
    ['a folder that holds no mail', makeAccount([makeFolder({ isSelectable: false, isFirstSynced: false })]), 4800],
  ])('%s', (_, account, seconds) => {
    expect(scopeAt(account, rules, noonMs)).toBeNull();
    expect(dueIn(account)).toBe(seconds);
  });

  it('anything, while sync is switched off', () => {
    const off = makeRules({ isSyncEnabled: false });
    expect([nextDue(makeAccount([]), off, noonMs), scopeAt(makeAccount([]), off, noonMs)]).toEqual([null, null]);
  });
});

describe('a refused login', () => {
  const refused = makeAccount([high(100)], {
    state: 'auth_error',
    failureCode: 'auth_failed',
    checkedMs: noonMs - 29 * minute,
    retryMs: noonMs + hour,
  });

  it('is tried again every EMAIL_AUTH_ERROR_CHECK_RETRY_TIME, whatever the backoff came to', () => {
    expect(nextDue(refused, rules, noonMs)).toMatchObject({ atMs: noonMs + minute, hold: 'login' });
    expect(scope(refused, noonMs + minute)).toBeDefined();
    expect(scopeAt(refused, makeRules({ authRetrySeconds: 60 }), noonMs)).not.toBeNull();
  });
});

describe('a wait', () => {
  it('further ahead than any that is ever set comes from a clock that jumped, and holds nothing', () => {
    expect(scope(makeAccount([high(100)], { retryMs: noonMs + 3650 * day }))).toBeDefined();
    expect(scope(makeAccount([high(100, { retryMs: noonMs + 26 * hour })]))).toBeDefined();
    expect(scope(makeAccount([high(100)], { retryMs: noonMs + 24 * hour }))).toBeUndefined();
    const refused = { state: 'auth_error', failureCode: 'auth_failed', checkedMs: noonMs - minute } as const;
    expect(scopeAt(makeAccount([high(100)], refused), makeRules({ authRetrySeconds: 7 * 86_400 }), noonMs)).toBeNull();
  });

  it('for the sake of the server ends when the server has answered another account', () => {
    const failed = {
      state: 'backoff',
      checkedMs: noonMs - minute,
      retryMs: noonMs + hour,
      serverOkMs: noonMs,
    } as const;
    expect(scope(makeAccount([high(100)], { ...failed, failureCode: 'connection_refused' }))).toBeDefined();
    expect(scope(makeAccount([high(100)], { ...failed, failureCode: 'throttled' }))).toBeUndefined();
    const earlier = { ...failed, failureCode: 'timeout', serverOkMs: noonMs - 2 * minute };
    expect(scope(makeAccount([high(100)], earlier))).toBeUndefined();
  });
});

describe('a pause', () => {
  const stuck = makeFolder({ emfdid: 7, isFirstSynced: false });
  const pause = { emfdids: [7], fromMs: noonMs - minute, untilMs: noonMs + 30 * second };
  const account = makeAccount([makeFolder(), stuck], { pause, ...seen(noonMs + 10 * minute) });

  it('holds what a pass that ended well left due', () => {
    expect(nextDue(account, rules, noonMs)).toMatchObject({ rule: 'first', emfdid: 7, hold: 'pause' });
    expect(dueIn(account)).toBe(30);
    expect(scope(account, noonMs + 29 * second)).toBeUndefined();
    expect(scope(account, noonMs + 30 * second)).toMatchObject({ recent: [7] });
  });

  it('delays nothing that comes due later', () => {
    const long = { ...account, pause: { ...pause, untilMs: noonMs + 15 * minute } };
    expect(dueIn(long)).toBe(600);
    expect(scope(long, noonMs + 10 * minute)).toMatchObject({ recent: [1] });
  });

  it('grows with the passes in a row that brought nothing, up to a quarter of an hour', () => {
    expect([1, 2, 3, 6, 50].map((count) => pauseMs(count) / second)).toEqual([30, 60, 120, 900, 900]);
  });
});

describe('the two lanes', () => {
  const account = makeAccount([
    high(31, { fullSyncedMs: noonMs - 40 * minute }),
    makeFolder({ emfdid: 2, priority: 'low', fullSyncedMs: noonMs - 2 * day }),
    makeFolder({ emfdid: 3, priority: 'low', isFirstSynced: false }),
  ]);

  it('keep prompt work apart from bulk', () => {
    expect(scopeAt(account, rules, noonMs, 'prompt')).toMatchObject({
      scope: { recent: [1], full: [] },
      class: 'recent',
    });
    expect(nextDue(account, rules, noonMs, 'prompt')).toMatchObject({ rule: 'recent', class: 'recent' });
    expect(nextDue(account, rules, noonMs, 'bulk')).toMatchObject({ rule: 'first', emfdid: 3, class: 'first' });
  });

  it('go together when bulk has its turn', () => {
    expect(scopeAt(account, rules, noonMs)).toEqual({
      scope: { kind: 'schedule', recent: [1, 3], full: [2] },
      first: [3],
      class: 'recent',
      folderCount: 3,
    });
  });

  it('know what is urgent: a user who looks comes first', () => {
    const classOf = (folder: ScheduledFolder, more = {}) => scopeAt(makeAccount([folder], more), rules, noonMs)?.class;
    expect(classOf(high(31, { fullSyncedMs: noonMs - hour }), seen(noonMs))).toBe('live');
    expect(classOf(makeFolder({ fullSyncedMs: noonMs - 2 * hour }))).toBe('full');
    expect(classOf(makeFolder({ priority: 'low', fullSyncedMs: noonMs - 2 * day }), seen(noonMs))).toBe('daily');
    expect(classOf(makeFolder({ isFirstSynced: false }), seen(noonMs))).toBe('first');
  });
});

const ms = fc.integer({ min: noonMs - 3 * day, max: noonMs + 3 * day });
const msOrNull = fc.option(ms, { nil: null });
const anyFolder = fc.record({
  emfdid: fc.integer({ min: 1, max: 1000 }),
  priority: fc.constantFrom('high' as const, 'low' as const, 'off' as const),
  isSelectable: fc.boolean(),
  isFirstSynced: fc.boolean(),
  hasPending: fc.boolean(),
  recentSyncedMs: msOrNull,
  fullSyncedMs: msOrNull,
  retryMs: msOrNull,
});
const anyAccount: fc.Arbitrary<ScheduledAccount> = fc.record({
  acntid: fc.integer({ min: 1, max: 100_000 }),
  server: fc.constant('mail.example.com:993'),
  users: fc.array(fc.record({ userId: fc.string(), lastSeenMs: msOrNull }), { maxLength: 3 }),
  enabled: fc.boolean(),
  state: fc.constantFrom('ok' as const, 'auth_error' as const, 'backoff' as const),
  failureCode: fc.constantFrom(null, 'timeout', 'auth_failed', 'throttled'),
  retryMs: msOrNull,
  checkedMs: msOrNull,
  pause: fc.option(fc.record({ emfdids: fc.array(fc.integer({ min: 1, max: 1000 })), fromMs: ms, untilMs: ms }), {
    nil: null,
  }),
  serverRetryMs: msOrNull,
  serverOkMs: msOrNull,
  folders: fc.array(anyFolder, { maxLength: 5 }),
});

describe('nextDue and scopeAt', () => {
  it('agree: something is to be done exactly when the next time has come, and what is said then is due', () => {
    fc.assert(
      fc.property(anyAccount, (account) => {
        const due = nextDue(account, rules, noonMs);
        const work = scopeAt(account, rules, noonMs);
        expect(work !== null).toBe(due !== null && due.atMs <= noonMs);
      }),
      { numRuns: 2000 },
    );
  });

  it('agree about the future, as long as nobody comes, goes or sets a clock', () => {
    fc.assert(
      fc.property(anyAccount, (given) => {
        const account = { ...given, users: [] };
        const due = nextDue(account, rules, noonMs);
        if (!due || due.atMs <= noonMs) return;
        // What lies in the future now is another matter once it is past; what holds for longer than it may is none later.
        const times = [account, ...account.folders]
          .flatMap((one) => Object.values(one))
          .filter((value) => typeof value === 'number');
        if (times.some((value) => value > noonMs && value <= due.atMs)) return;
        if (times.some((value) => value - noonMs > 20 * hour)) return;
        expect(scopeAt(account, rules, due.atMs)).not.toBeNull();
        expect(scopeAt(account, rules, due.atMs - 1)).toBeNull();
      }),
      { numRuns: 2000 },
    );
  });

  it('never name a folder that is off, and never park an account for longer than the daily window of a clock set back by a day', () => {
    fc.assert(
      fc.property(anyAccount, (account) => {
        const { recent = [], full = [] } = { ...scopeAt(account, rules, noonMs)?.scope } as {
          recent?: number[];
          full?: number[];
        };
        const named = account.folders.filter(({ emfdid }) => recent.includes(emfdid) || full.includes(emfdid));
        if (new Set(account.folders.map(({ emfdid }) => emfdid)).size === account.folders.length)
          expect(named.some(({ priority }) => priority === 'off')).toBe(false);
        const due = nextDue(account, rules, noonMs);
        expect((due?.atMs ?? 0) - noonMs).toBeLessThan(52 * hour);
      }),
      { numRuns: 2000 },
    );
  });
});
