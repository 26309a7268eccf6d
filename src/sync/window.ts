/**
 * Cuts pending UIDs into windows, newest first. Pure. The first window is short so that the newest mail is there at once;
 * later ones grow until round trips vanish beside the transfer. Memory is bounded by batches, not by windows: a window is
 * written while it arrives.
 */
import { highestUids, type UidSet } from '../base/uid-set.ts';

/** First window. 200 newest mails are on the screen after one round trip. */
export const windowCountFirst = 200;
/** 2,000 UIDs: at 40 ms a round trip costs 20 µs a mail; an aborted window repeats at most one batch, not the window. */
export const windowCountMax = 2000;

/** The next window: the highest UIDs of `pending`. `index` counts the windows of this pass from 0. */
export function nextWindow(pending: UidSet, index: number, countMax: number = windowCountMax): UidSet {
  return highestUids(pending, Math.min(countMax, windowCountFirst * 2 ** Math.min(index, 10)));
}

/** Two halves, higher UIDs first, to corner a message that the server will not hand out. */
export function halves(uids: UidSet, count: number): readonly [UidSet, UidSet] {
  const upper = highestUids(uids, Math.ceil(count / 2));
  const lower = highestUids(uids, count).slice();
  return [upper, subtractUpper(lower, upper)];
}

function subtractUpper(uids: UidSet, upper: UidSet): UidSet {
  const first = upper[0]?.[0] ?? 0;
  return uids.flatMap(([a, b]) => (a >= first ? [] : [[a, Math.min(b, first - 1)] as const]));
}

/** Rows are collected into a batch, one transaction, until one of these is reached. */
export const batchBytesMax = 2 * 1024 * 1024;
export const batchCountMax = 250;

export const isBatchFull = (count: number, bytes: number): boolean => count >= batchCountMax || bytes >= batchBytesMax;
