/** Deterministic spreading, so that many accounts never start in one moment, and each always at the same place. Pure. */

/** 0 ≤ fraction < 1, evenly spread over numbers that follow each other (the finalizer of MurmurHash3). */
export function fractionOf(number: number): number {
  let hash = number | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** A tenth of a wait, five minutes at most: enough to part accounts that failed together, too little to notice. */
const jitterShare = 0.1;
const jitterMsMax = 300_000;

/** What is added to a wait of this length; `turn` (a failure count) moves it from one wait to the next. */
export function jitterMs(number: number, turn: number, waitMs: number): number {
  const room = Math.min(jitterMsMax, Math.max(0, waitMs) * jitterShare);
  return Math.floor(fractionOf(number * 31 + turn) * room);
}

/** After a start with everything overdue: 5 ms for each account, a minute at most. The ceilings bound what runs at once. */
const overdueMsPerAccount = 5;
const overdueMsMax = 60_000;

/** When an overdue account is to be taken, if not now. */
export function spreadOverdue(acntid: number, dueMs: number, accountCount: number, nowMs: number): number {
  if (dueMs > nowMs) return dueMs;
  return nowMs + Math.floor(fractionOf(acntid) * Math.min(overdueMsMax, accountCount * overdueMsPerAccount));
}
