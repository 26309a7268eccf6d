/**
 * What one pass may take before it stops: time, so that others get their turn, and bytes of the day, because providers lock
 * accounts that fetch too much. Looked at between windows, so that every pass gets on.
 */
import { type Clock, createLocalClock, toInstant } from '../base/clock.ts';
import { EngineError, type ErrorRecord } from '../base/errors.ts';
import { createTimeZone } from '../base/time-zone.ts';
import type { Store } from '../store/store.ts';

export interface Slice {
  isOver(): boolean;
  /** Something was left for the next pass. */
  wasCut: boolean;
  /** The local day that fetched bytes count for; null: they are not counted. */
  readonly day: string | null;
  spend(bytes: number): void;
  /** What ended it, if the day's bytes did. */
  spent(): ErrorRecord | null;
}

export interface DayLimit {
  readonly bytesMax: number;
  readonly timeZone: string;
}

export interface SliceOptions {
  readonly store: Pick<Store, 'trafficOn'>;
  readonly clock: Clock;
  readonly acntid: number;
  /** Null: without an end. */
  readonly ms: number | null;
  readonly perDay: DayLimit | null;
}

/** Throws `daily_bytes_spent`, not before the next local midnight. */
export async function startSlice(options: SliceOptions): Promise<Slice> {
  const { perDay, clock, acntid } = options;
  // Monotonic.
  const endMs = performance.now() + (options.ms ?? Number.POSITIVE_INFINITY);
  const day = perDay === null ? null : createLocalClock(perDay.timeZone)(clock()).date;
  let bytesLeft = Number.POSITIVE_INFINITY;
  if (perDay !== null && day !== null) bytesLeft = perDay.bytesMax - (await options.store.trafficOn(acntid, day));
  const spent = () => (bytesLeft <= 0 && perDay !== null && day !== null ? daySpent(perDay, day) : null);
  const failure = spent();
  if (failure) throw failure;
  return {
    day,
    wasCut: false,
    spent: () => spent()?.toRecord() ?? null,
    isOver: () => performance.now() >= endMs || bytesLeft <= 0,
    spend(bytes) {
      bytesLeft -= bytes;
    },
  };
}

const dayMs = 86_400_000;

function daySpent({ bytesMax, timeZone }: DayLimit, day: string): EngineError {
  const midnightMs = createTimeZone(timeZone).firstInstantAt(Date.parse(`${day}T00:00:00Z`) + dayMs);
  const notBefore = toInstant(new Date(midnightMs));
  return new EngineError('daily_bytes_spent', `${bytesMax} bytes on ${day}`, { notBefore });
}
