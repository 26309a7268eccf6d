/**
 * What is due, and how much of it. Pure: times come in as data. Intervals count from the end of a pass; a folder never
 * synced is due at once; a full pass counts as recent; low-priority folders get one full pass a local day.
 */
import type { LocalTime } from '../base/clock.ts';
import type { Scope } from '../sync/pass.ts';

/** Of the configuration, in seconds and local time of day. */
export interface Intervals {
  readonly recentSeconds: number;
  readonly recentSecondsAway: number;
  readonly fullSeconds: number;
  readonly fullSecondsAway: number;
  /** `20:00` */
  readonly lowStart: string;
  readonly presenceSeconds: number;
}

export interface DueFolder {
  readonly emfdid: number;
  readonly priority: 'high' | 'low' | 'off';
  readonly isSelectable: boolean;
  readonly isFirstSynced: boolean;
  readonly recentSyncedMs: number | null;
  readonly fullSyncedMs: number | null;
  readonly retryMs: number | null;
}

export interface DueAccount {
  readonly enabled: boolean;
  readonly retryMs: number | null;
  /** Null: never looked at. */
  readonly checkedMs: number | null;
  readonly lastSeenMs: number | null;
  readonly folders: readonly DueFolder[];
}

export interface Now {
  readonly ms: number;
  readonly local: LocalTime;
  /** The local date and time of any instant, in the same zone. */
  readonly toLocal: (ms: number) => LocalTime;
}

/** Null: nothing of this account is due. */
export function dueScope(account: DueAccount, intervals: Intervals, now: Now): Scope | null {
  if (!account.enabled || isAhead(account.retryMs, now)) return null;
  const isPresent = account.lastSeenMs !== null && now.ms - account.lastSeenMs < intervals.presenceSeconds * 1000;
  const folders = account.folders.filter(
    (folder) => folder.priority !== 'off' && folder.isSelectable && !isAhead(folder.retryMs, now),
  );
  const full = folders.filter((folder) => isFullDue(folder, intervals, isPresent, now)).map((folder) => folder.emfdid);
  const recent = folders
    .filter((folder) => isRecentDue(folder, intervals, isPresent, now))
    .map((folder) => folder.emfdid);
  const isNew = account.checkedMs === null || folders.some((folder) => !folder.isFirstSynced);
  return isNew || full.length + recent.length > 0 ? { kind: 'schedule', recent, full } : null;
}

/** A retry time far in the future comes from a clock that jumped: it holds for a day at most. */
const retryMsMax = 25 * 60 * 60 * 1000;
const isAhead = (retryMs: number | null, now: Now): boolean =>
  retryMs !== null && retryMs > now.ms && retryMs - now.ms < retryMsMax;

/** A time in the future counts as never: the clock was set back. */
const isOlder = (ms: number | null, seconds: number, now: Now): boolean =>
  ms === null || ms > now.ms || now.ms - ms >= seconds * 1000;

function isRecentDue(folder: DueFolder, intervals: Intervals, isPresent: boolean, now: Now): boolean {
  if (folder.priority !== 'high' || !folder.isFirstSynced) return false;
  return isOlder(folder.recentSyncedMs, isPresent ? intervals.recentSeconds : intervals.recentSecondsAway, now);
}

function isFullDue(folder: DueFolder, intervals: Intervals, isPresent: boolean, now: Now): boolean {
  if (!folder.isFirstSynced) return false;
  if (folder.priority === 'high')
    return isOlder(folder.fullSyncedMs, isPresent ? intervals.fullSeconds : intervals.fullSecondsAway, now);
  return isDailyDue(folder.fullSyncedMs, intervals.lowStart, now);
}

/**
 * Once a local day, from `start` on: due when no full pass ended since the last start that has passed. A start that DST
 * skips is passed at the next minute there is; one that comes twice counts once, because the date does.
 */
export function isDailyDue(lastMs: number | null, start: string, now: Now): boolean {
  if (lastMs === null || lastMs > now.ms) return true;
  return startDay(now.toLocal(lastMs), start) < startDay(now.local, start);
}

/** The local date whose start was the last to pass: the day itself after `start`, the day before until then. */
function startDay({ date, time }: LocalTime, start: string): string {
  if (time.slice(0, 5) >= start) return date;
  return new Date(Date.parse(`${date}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}
