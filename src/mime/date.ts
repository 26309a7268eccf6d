/** The Date field (RFC 5322 3.3, and the obsolete forms of 4.3) as a UTC instant, or null when it is none. */

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const zones: Readonly<Record<string, number>> = {
  ut: 0,
  gmt: 0,
  utc: 0,
  z: 0,
  est: -300,
  edt: -240,
  cst: -360,
  cdt: -300,
  mst: -420,
  mdt: -360,
  pst: -480,
  pdt: -420,
};
const form =
  /(\d{1,2})[\s-]+([a-z]{3})[a-z]*[\s-]+(\d{2,4})[\s,]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?\s*([+-]\d{4}|[a-z]{1,4})?/i;

export function readDate(value: string | null): string | null {
  const match = value === null ? null : form.exec(value);
  if (!match) return null;
  const [, day, monthName = '', year, hour, minute, second = '0', zone = ''] = match;
  const month = months.indexOf(monthName.toLowerCase());
  if (month === -1) return null;
  const local = new Date(0);
  local.setUTCFullYear(fullYear(year ?? ''), month, Number(day));
  local.setUTCHours(Number(hour), Number(minute), Number(second));
  return toInstant(new Date(local.getTime() - offsetMinutes(zone) * 60_000));
}

/** Years 1 to 9999, so that the text sorts. */
function toInstant(date: Date): string | null {
  const year = date.getUTCFullYear();
  return Number.isNaN(date.getTime()) || year < 1 || year > 9999 ? null : date.toISOString();
}

/** RFC 5322 4.3: two digits 00–49 are 20xx, the other two- and three-digit years count from 1900. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 2 && year < 50) return 2000 + year;
  return text.length < 4 ? 1900 + year : year;
}

/** Zones that nobody knows count as UTC (RFC 5322 4.3: -0000). */
function offsetMinutes(zone: string): number {
  const match = /^([+-])(\d{2})(\d{2})$/.exec(zone);
  if (!match) return zones[zone.toLowerCase()] ?? 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -minutes : minutes;
}
