/**
 * Instants on the command line. Pure. JavaScript's own reading is too kind for mail that leaves at that time: it takes 11/12/2026 for
 * the 12th of November, 1 for the year 2001, the 30th of February for the 2nd of March, and a time without a zone for whatever zone
 * the process has, which cron does not hand on.
 */
import { EngineError } from '../base/errors.ts';

const form = /^([1-9]\d{3}-\d\d-\d\d)[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/i;
const instantLength = '2026-11-24T08:00:00.000Z'.length;

/** ISO 8601 with a zone, as the store writes it. Throws `usage`. */
export function instantArgument(what: string, text: string): string {
  const day = form.exec(text)?.[1];
  if (day !== undefined && isInCalendar(day)) {
    const date = new Date(text.toUpperCase().replace(' ', 'T'));
    const instant = Number.isNaN(date.getTime()) ? '' : date.toISOString();
    if (instant.length === instantLength) return instant;
  }
  throw new EngineError(
    'usage',
    `${what} is ${JSON.stringify(text)}. Expected: a time with its zone, such as 2026-11-24T08:00:00Z or 2026-11-24T09:00:00+01:00.`,
  );
}

function isInCalendar(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
