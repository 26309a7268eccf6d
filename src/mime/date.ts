/**
 * The Date field as a UTC instant, or null when it is none: RFC 5322 3.3, the obsolete forms of 4.3, and what programs write
 * that print a date as their language does.
 */

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
  // RFC 5322 leaves these to who knows their meaning; no other place writes them.
  wet: 0,
  west: 60,
  cet: 60,
  cest: 120,
  met: 60,
  mest: 120,
  mesz: 120,
  mez: 60,
  eet: 120,
  eest: 180,
  msk: 180,
  jst: 540,
  kst: 540,
  aest: 600,
  aedt: 660,
  nzst: 720,
  nzdt: 780,
};
const clock = String.raw`(?<hour>\d{1,2})[:.](?<minute>\d{2})(?:[:.](?<second>\d{2})(?:[.,]\d+)?)?`;
const zone = String.raw`(?<zone>(?:(?:gmt|utc?)\s?)?[+-]\d{2}:?\d{2}|[a-z]{1,5})?`;
const month = '(?<month>[a-z]{3})[a-z]*';
const forms: readonly RegExp[] = [
  new RegExp(String.raw`(?<day>\d{1,2})[\s-]+${month}[\s-]+(?<year>\d{2,4})[\s,]+${clock}\s*${zone}`, 'i'),
  // ctime: Thu Jan  1 10:00:00 2026
  new RegExp(String.raw`\b${month}\s+(?<day>\d{1,2})\s+${clock}\s+(?:${zone}\s+)?(?<year>\d{4})\b`, 'i'),
  // JavaScript: Thu Jan 01 2026 10:00:00 GMT+0100
  new RegExp(String.raw`\b${month}\s+(?<day>\d{1,2}),?\s+(?<year>\d{4}),?\s+${clock}\s*${zone}`, 'i'),
  // ISO 8601: 2026-01-01T10:00:00+01:00
  new RegExp(String.raw`\b(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})[t\s]+${clock}\s*${zone}`, 'i'),
];
/** No date is longer, its comments included. */
const dateCharsMax = 500;

export function readDate(value: string | null): string | null {
  const text = (value ?? '').slice(0, dateCharsMax).replace(/\([^()]*\)/g, ' ');
  const groups = matchOf(text);
  if (groups === null) return null;
  const { day, month: monthName = '', year = '', hour, minute, second = '0', zone: zoneName = '' } = groups;
  const monthIndex = monthOf(monthName);
  // Twelve-hour times are no form of mail; half of them would be read wrong.
  if (monthIndex === -1 || /^[ap]m$/i.test(zoneName)) return null;
  const local = new Date(0);
  local.setUTCFullYear(fullYear(year), monthIndex, Number(day));
  local.setUTCHours(Number(hour), Number(minute), Number(second));
  return toInstant(new Date(local.getTime() - offsetMinutes(zoneName) * 60_000));
}

function matchOf(text: string): Partial<Record<string, string>> | null {
  for (const form of forms) {
    const match = form.exec(text);
    if (match?.groups) return match.groups;
  }
  return null;
}

/** From 0; -1: none. */
function monthOf(name: string): number {
  const number = Number(name);
  return Number.isNaN(number) ? months.indexOf(name.toLowerCase()) : number >= 1 && number <= 12 ? number - 1 : -1;
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
function offsetMinutes(name: string): number {
  const match = /([+-])(\d{2}):?(\d{2})$/.exec(name);
  if (!match) return zones[name.toLowerCase()] ?? 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -minutes : minutes;
}
