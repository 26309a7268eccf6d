/**
 * When a recipient who was put off is tried again (RFC 5321 4.5.4.1), and when no more. Pure. 5, 10, 20, 40, 80 minutes, then
 * 2.5 and 4 hours: greylisting lets a mail pass within minutes, a server that is down is asked a few times a day. ±10 % keep the
 * mails of one outage from coming back all at once.
 */

const minuteMs = 60_000;
const waitsMs = [5, 10, 20, 40, 80, 150, 240].map((minutes) => minutes * minuteMs);
const lastWaitMs = 240 * minuteMs;
const jitterShare = 0.1;

/** The longest wait there is. */
export const retryWaitMsMax = lastWaitMs * (1 + jitterShare);

/** `attempt`: how many have been made, from 1. `random`: 0 to 1. */
export function retryWaitMs(attempt: number, random: number): number {
  const waitMs = waitsMs[Math.max(0, attempt - 1)] ?? lastWaitMs;
  return Math.round(waitMs * (1 + jitterShare * (2 * random - 1)));
}

/** A clock that was set, or a machine that slept for a week, is no server that refused for days. By schedule they take half an hour. */
const attemptsMin = 4;

export interface Age {
  /** How many have been made, from 1. */
  readonly attempt: number;
  /** Null: this is the first attempt. */
  readonly firstAttemptMs: number | null;
  readonly nowMs: number;
  readonly giveUpMs: number;
}

/** Asked after an attempt that was put off, so a mail that waited for a stopped engine is tried before it is given up. */
export const isExpired = ({ attempt, firstAttemptMs, nowMs, giveUpMs }: Age): boolean =>
  attempt >= attemptsMin && firstAttemptMs !== null && nowMs - firstAttemptMs >= giveUpMs;
