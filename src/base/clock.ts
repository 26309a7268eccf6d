/** Instants as the store writes them, and local dates in a named zone. */

/** UTC with milliseconds, `2026-11-23T05:17:00.000Z`: sorts as text, and is what every instant column holds. */
export type Instant = string;

export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

export const toInstant = (date: Date): Instant => date.toISOString();

/** Null: there is none, or what an application wrote fits the form and is no time (a month 13, a second 60). */
export function toMs(instant: Instant | null): number | null {
  const ms = Date.parse(instant ?? '');
  return Number.isNaN(ms) ? null : ms;
}

/** Is it what the clock will show one day? `2026-02-30T…` is not, although Date.parse takes it for 2 March. */
export function isTime(instant: Instant): boolean {
  const ms = toMs(instant);
  return ms !== null && toInstant(new Date(ms)) === instant;
}

export interface LocalTime {
  /** `2026-11-23` */
  readonly date: string;
  /** `05:17:00` */
  readonly time: string;
}

/** All parts of a local date and time, each with two digits, of the day's 24 hours. */
export function zoneFormatter(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
}

/**
 * Date and time of day in an IANA zone; DST is the zone's own affair. Made once and kept: a formatter costs 50 µs to make, and
 * 6 µs to use. Lines of a log come many a second, so the last second's answer is kept.
 */
export function createLocalClock(timeZone: string): (instant: Date) => LocalTime {
  const formatter = zoneFormatter(timeZone);
  const format = (instant: Date): LocalTime => {
    const part = Object.fromEntries(formatter.formatToParts(instant).map(({ type, value }) => [type, value]));
    return { date: `${part.year}-${part.month}-${part.day}`, time: `${part.hour}:${part.minute}:${part.second}` };
  };
  let last: { readonly second: number; readonly local: LocalTime } | null = null;
  return (instant) => {
    const second = Math.floor(instant.getTime() / 1000);
    if (last?.second !== second) last = { second, local: format(instant) };
    return last.local;
  };
}
