/**
 * Local time of a named zone as arithmetic: schedules ask for it millions of times, and Intl takes microseconds. "Local
 * milliseconds" are what a wall clock shows, counted as if it were UTC; days of 24 h begin at its multiples of a day.
 */
import { zoneFormatter } from './clock.ts';

export interface TimeZone {
  /** What is added to UTC at this instant, in milliseconds. */
  offsetMs(ms: number): number;
  /**
   * The first instant at which a clock on the wall shows `localMs` or later. A time that DST skips: the moment of the change;
   * a time that comes twice: the first.
   */
  firstInstantAt(localMs: number): number;
}

const dayMs = 86_400_000;
/** Zones change their offset at multiples of a quarter of an hour in UTC (since 1972 without exception). */
const slotMs = 900_000;
/** 4,096 quarters: six weeks; older ones are worked out again. */
const slotCountMax = 4096;

export function createTimeZone(name: string): TimeZone {
  const formatter = zoneFormatter(name);
  const known = new Map<number, number>();
  const offsetMs = (ms: number): number => {
    const slot = Math.floor(ms / slotMs);
    const cached = known.get(slot);
    if (cached !== undefined) return cached;
    if (known.size >= slotCountMax) known.clear();
    const offset = localMsOf(formatter, slot * slotMs) - slot * slotMs;
    known.set(slot, offset);
    return offset;
  };
  return { offsetMs, firstInstantAt: (localMs) => firstInstantAt(offsetMs, localMs) };
}

function localMsOf(formatter: Intl.DateTimeFormat, ms: number): number {
  const part = Object.fromEntries(formatter.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** One change of offset at most within two days: true of every zone. */
function firstInstantAt(offsetMs: TimeZone['offsetMs'], localMs: number): number {
  const [before, after] = [offsetMs(localMs - dayMs), offsetMs(localMs + dayMs)];
  const byBefore = localMs - before;
  if (before === after || offsetMs(byBefore) === before) return byBefore;
  const byAfter = localMs - after;
  return offsetMs(byAfter) === after ? byAfter : changeBetween(offsetMs, byAfter, byBefore);
}

/** The slot's start at which the offset changes; `from` is before it, `to` at or after it. */
function changeBetween(offsetMs: TimeZone['offsetMs'], from: number, to: number): number {
  let [low, high] = [Math.floor(from / slotMs), Math.floor(to / slotMs)];
  const later = offsetMs(to);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(middle * slotMs) === later) high = middle;
    else low = middle;
  }
  return high * slotMs;
}
