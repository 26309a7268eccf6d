/**
 * Judges a simulated run by rules of its own, written without the schedule's code: since when was each folder due when its
 * pass began, and for which local date did each daily pass count. Instants in wall-clock milliseconds.
 */
import { createLocalClock } from '../../src/base/clock.ts';
import type { Rules } from '../../src/engine/schedule/account.ts';
import type { ModelAccount } from './model-store.ts';

export interface Referee {
  /** A pass begins. `isExcused`: the account failed before, or the engine was away: it may be late. */
  noteStart(account: ModelAccount, group: string, nowMs: number, isExcused: boolean): void;
  notePresence(account: ModelAccount, fromMs: number, untilMs: number): void;
  /** The wall clock moved to `nowMs`, and applications write by the new one: who is logged in has come now. */
  noteJump(byMs: number, nowMs: number): void;
  noteDailyEnd(account: ModelAccount, emfdid: number, nowMs: number): void;
  /** Worst lateness of high-priority folders, by group of accounts. */
  readonly worstMs: ReadonlyMap<string, number>;
  readonly passCount: () => number;
  /** Daily passes: folder → the dates that they counted for, in order. */
  readonly dates: ReadonlyMap<number, readonly string[]>;
  /** How long the longest-waiting high-priority folder has been due now. */
  overdueMs(account: ModelAccount, nowMs: number): number;
}

interface Session {
  readonly fromMs: number;
  untilMs: number;
}

export function createReferee(rules: Rules, timeZone: string, dailyStart: string): Referee {
  const sessions = new Map<number, Session[]>();
  const worstMs = new Map<string, number>();
  const dates = new Map<number, string[]>();
  const local = createLocalClock(timeZone);
  let passCount = 0;

  /** The earliest instant at which the interval had passed for the user as present as he was then. */
  const dueSince = (account: ModelAccount, lastMs: number, here: number, away: number): number => {
    const whenHere = (sessions.get(account.acntid) ?? []).flatMap(({ fromMs, untilMs }) => {
      const ms = Math.max(lastMs + here * 1000, fromMs);
      return ms < untilMs ? [ms] : [];
    });
    return Math.min(lastMs + away * 1000, ...whenHere);
  };
  const overdueMs = (account: ModelAccount, nowMs: number): number => {
    const waits = account.folders
      .filter((folder) => folder.priority === 'high' && folder.firstMs <= 0)
      .flatMap(({ recentMs, fullMs }) => [
        recentMs === null ? 0 : nowMs - dueSince(account, recentMs, rules.recentSeconds, rules.recentSecondsAway),
        fullMs === null ? 0 : nowMs - dueSince(account, fullMs, rules.fullSeconds, rules.fullSecondsAway),
      ]);
    // While another pass of the account ran, this one could not.
    return Math.min(Math.max(0, ...waits), account.checkedMs === null ? 0 : nowMs - account.checkedMs);
  };
  /** In a repeated hour the clock may show a time before the start again. */
  const dateOf = (ms: number): string => {
    const at = [ms, ms - 3_600_000].map((instant) => {
      const { date, time } = local(new Date(instant));
      return time.slice(0, 5) >= dailyStart ? date : new Date(Date.parse(date) - 86_400_000).toISOString().slice(0, 10);
    });
    return at.sort((a, b) => b.localeCompare(a))[0] ?? '';
  };
  return {
    worstMs,
    dates,
    passCount: () => passCount,
    overdueMs,
    noteStart(account, group, nowMs, isExcused) {
      passCount += 1;
      if (!isExcused) worstMs.set(group, Math.max(worstMs.get(group) ?? 0, overdueMs(account, nowMs)));
      const kept = sessions
        .get(account.acntid)
        ?.filter(({ untilMs }) => untilMs > nowMs - rules.fullSecondsAway * 2000);
      if (kept) sessions.set(account.acntid, kept);
    },
    notePresence(account, fromMs, untilMs) {
      const known = sessions.get(account.acntid) ?? [];
      const last = known.at(-1);
      if (last && last.untilMs > fromMs) last.untilMs = untilMs;
      else sessions.set(account.acntid, [...known, { fromMs, untilMs }]);
    },
    noteJump(byMs, nowMs) {
      for (const [acntid, list] of sessions)
        sessions.set(
          acntid,
          list.map(({ untilMs }) => ({ fromMs: nowMs, untilMs: untilMs + byMs })),
        );
    },
    noteDailyEnd(account, emfdid, nowMs) {
      const key = account.acntid * 100 + emfdid;
      dates.set(key, [...(dates.get(key) ?? []), dateOf(nowMs)]);
    },
  };
}
