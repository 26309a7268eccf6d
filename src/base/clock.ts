/** Instants as the store writes them, and local dates in a named zone. */

/** UTC with milliseconds, `2026-11-23T05:17:00.000Z`: sorts as text, and is what every instant column holds. */
export type Instant = string;

export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

export const toInstant = (date: Date): Instant => date.toISOString();

export interface LocalTime {
  /** `2026-11-23` */
  readonly date: string;
  /** `05:17:00` */
  readonly time: string;
}

/** Date and time of day in an IANA zone; DST is the zone's own affair. */
export function localTime(instant: Date, timeZone: string): LocalTime {
  const parts = Object.fromEntries(formatter(timeZone).formatToParts(instant).map((part) => [part.type, part.value]));
  return { date: `${parts.year}-${parts.month}-${parts.day}`, time: `${parts.hour}:${parts.minute}:${parts.second}` };
}

function formatter(timeZone: string): Intl.DateTimeFormat {
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
