/** Who is looking. Pure. An application writes when it last saw a user; for EMAIL_PRESENCE_TIMEOUT after that he is logged in. */
import type { ScheduledAccount } from './account.ts';

/** A time in the future is a clock that runs ahead, which is fine as far as the timeout reaches; years ahead it counts for nothing. */
export function isSeen(lastSeenMs: number | null, presenceSeconds: number, nowMs: number): boolean {
  return lastSeenMs !== null && Math.abs(nowMs - lastSeenMs) < presenceSeconds * 1000;
}

export const isPresent = ({ users }: ScheduledAccount, presenceSeconds: number, nowMs: number): boolean =>
  users.some(({ lastSeenMs }) => isSeen(lastSeenMs, presenceSeconds, nowMs));

/**
 * Of users seen since the last look, those that were not logged in at that look: their accounts are due sooner now. `known`
 * (user → last seen, ms) is brought up to date; who went away leaves it.
 */
export function takeArrivals(
  known: Map<string, number>,
  seen: ReadonlyMap<string, number>,
  presenceSeconds: number,
  nowMs: number,
): string[] {
  for (const [userId, ms] of known) if (!isSeen(ms, presenceSeconds, nowMs)) known.delete(userId);
  const arrived: string[] = [];
  for (const [userId, ms] of seen) {
    if (!isSeen(ms, presenceSeconds, nowMs)) continue;
    if (!known.has(userId)) arrived.push(userId);
    known.set(userId, ms);
  }
  return arrived;
}
