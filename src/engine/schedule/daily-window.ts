/**
 * The daily window. Pure. Windows are numbered by the local date on which they open, and a pass counts for the last window
 * that had opened when it ended: so each date is run once, whatever DST, a restart or a clock that jumped make of its hours.
 */
import type { DailyWindow } from './account.ts';
import { fractionOf } from './spread.ts';

const dayMs = 86_400_000;

/** When the window of a local date (days since 1970) opens. DST may skip that time of day, or bring it twice. */
const opensAt = ({ zone, startMs }: DailyWindow, day: number): number => zone.firstInstantAt(day * dayMs + startMs);

/** The local date, in days since 1970, of the last window that had opened. */
export function windowDay(window: DailyWindow, ms: number): number {
  const shown = ms + window.zone.offsetMs(ms);
  const day = Math.floor((shown - window.startMs) / dayMs);
  // In a repeated hour the clock shows a time before the start although the window has opened.
  return opensAt(window, day + 1) <= ms ? day + 1 : day;
}

/** When the account's turn comes in the first window that opens after `lastMs`. */
export function dailyDueMs(window: DailyWindow, acntid: number, lastMs: number): number {
  const turnMs = Math.floor(fractionOf(acntid) * window.spreadMs);
  return opensAt(window, windowDay(window, lastMs) + 1) + turnMs;
}

/** Half a second for each account, so that a server meets two new passes a second… */
const spreadMsPerAccount = 500;
/** …but nobody waits for more than an hour after the start. */
const spreadMsMax = 3_600_000;

export const dailySpreadMs = (accountCount: number): number =>
  Math.min(spreadMsMax, Math.max(0, accountCount - 1) * spreadMsPerAccount);
