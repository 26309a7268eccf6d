/**
 * The rules by which something is due, as a list: the schedule asks them, `explain` prints them. Pure. Intervals count from
 * the end of a pass; a full pass counts as recent; a *_synced_at in the future counts as never, because the clock was set back.
 */
import type { Rules, ScheduledAccount, ScheduledFolder } from './account.ts';
import { dailyDueMs } from './daily-window.ts';

export type FolderRuleName = 'first' | 'unfinished' | 'recent' | 'full' | 'daily';
export type RuleName = FolderRuleName | 'new' | 'listing';

/** Prompt work never waits behind bulk: each has its own place in the queue. */
export type Lane = 'prompt' | 'bulk';

/** An account at one moment. */
export interface Look {
  readonly account: ScheduledAccount;
  readonly rules: Rules;
  readonly nowMs: number;
  readonly isPresent: boolean;
}

export interface FolderRule {
  readonly name: FolderRuleName;
  readonly lane: Lane;
  readonly pass: 'recent' | 'full';
  readonly appliesTo: (folder: ScheduledFolder) => boolean;
  /** Since when it is due, or when it will be. */
  readonly dueMs: (folder: ScheduledFolder, look: Look) => number;
  /** What comes due this soon after is taken along by a pass that runs anyway: it saves a connection. */
  readonly alongMs: (look: Look) => number;
  readonly text: (rules: Rules) => string;
}

export interface AccountRule {
  readonly name: 'new' | 'listing';
  readonly lane: Lane;
  /** Null: does not apply. */
  readonly dueMs: (look: Look) => number | null;
  readonly text: (rules: Rules) => string;
}

/** Due since ever. */
export const atOnceMs = 0;

const alongMsMax = 60_000;
const alongShare = 0.1;
const never = (): number => 0;

const isHigh = (folder: ScheduledFolder): boolean => folder.isFirstSynced && folder.priority === 'high';
const recentSeconds = ({ rules, isPresent }: Look): number =>
  isPresent ? rules.recentSeconds : rules.recentSecondsAway;
const fullSeconds = ({ rules, isPresent }: Look): number => (isPresent ? rules.fullSeconds : rules.fullSecondsAway);
const along = (seconds: number): number => Math.min(alongMsMax, seconds * 1000 * alongShare);

function afterInterval(lastMs: number | null, seconds: number, nowMs: number): number {
  return lastMs === null || lastMs > nowMs ? atOnceMs : lastMs + seconds * 1000;
}

/** The later of two passes that lie in the past; a time in the future is none. */
function latestMs(a: number | null, b: number | null, nowMs: number): number | null {
  const past = [a, b].filter((ms) => ms !== null).filter((ms) => ms <= nowMs);
  return past.length === 0 ? null : Math.max(...past);
}

/**
 * A clock that was set back by a day or less leaves the dates of windows in their order: what ran for a date has run for it.
 * Further back, the time of the last pass means nothing.
 */
const futureMsMax = 26 * 3_600_000;

export const folderRules: readonly FolderRule[] = [
  {
    name: 'first',
    lane: 'bulk',
    pass: 'recent',
    appliesTo: (folder) => !folder.isFirstSynced,
    dueMs: () => atOnceMs,
    alongMs: never,
    text: () => 'a folder never synced is due at once, whatever its priority',
  },
  {
    name: 'unfinished',
    lane: 'prompt',
    pass: 'recent',
    appliesTo: (folder) => folder.isFirstSynced && folder.hasPending,
    dueMs: () => atOnceMs,
    alongMs: never,
    text: () => 'an unfinished pass is due at once',
  },
  {
    name: 'recent',
    lane: 'prompt',
    pass: 'recent',
    appliesTo: isHigh,
    dueMs: (folder, look) =>
      afterInterval(latestMs(folder.recentSyncedMs, folder.fullSyncedMs, look.nowMs), recentSeconds(look), look.nowMs),
    alongMs: (look) => along(recentSeconds(look)),
    text: (rules) =>
      `high priority: recent sync ${rules.recentSeconds} s after the last pass while the user is logged in, else ${rules.recentSecondsAway} s`,
  },
  {
    name: 'full',
    lane: 'prompt',
    pass: 'full',
    appliesTo: isHigh,
    dueMs: (folder, look) => afterInterval(folder.fullSyncedMs, fullSeconds(look), look.nowMs),
    alongMs: (look) => along(fullSeconds(look)),
    text: (rules) =>
      `high priority: full sync ${rules.fullSeconds} s after the last full pass while the user is logged in, else ${rules.fullSecondsAway} s`,
  },
  {
    name: 'daily',
    lane: 'bulk',
    pass: 'full',
    appliesTo: (folder) => folder.isFirstSynced && folder.priority === 'low',
    dueMs(folder, { account, rules, nowMs }) {
      const lastMs = folder.fullSyncedMs;
      if (lastMs === null || lastMs - nowMs > futureMsMax) return atOnceMs;
      return dailyDueMs(rules.daily, account.acntid, lastMs);
    },
    alongMs: never,
    text: (rules) => `low priority: one full sync for each local date, from ${timeOfDay(rules.daily.startMs)} on`,
  },
];

export const accountRules: readonly AccountRule[] = [
  {
    name: 'new',
    lane: 'bulk',
    dueMs: ({ account }) => (account.folders.length === 0 ? atOnceMs : null),
    text: () => 'an account whose folders are not known yet is due at once',
  },
  {
    name: 'listing',
    lane: 'bulk',
    dueMs({ account: { folders, checkedMs }, rules, nowMs }) {
      const hasOther =
        folders.length === 0 || folders.some(({ isSelectable, priority }) => isSelectable && priority !== 'off');
      return hasOther ? null : afterInterval(checkedMs, rules.fullSecondsAway, nowMs);
    },
    text: (rules) => `an account without a folder to sync is listed again after ${rules.fullSecondsAway} s`,
  },
];

const timeOfDay = (ms: number): string => new Date(ms).toISOString().slice(11, 16);
