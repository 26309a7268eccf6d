/** How much room is left, and for how long at the present rate. Pure. */
import type { StoreSize } from '../../store/upkeep.ts';
import { formatBytes } from '../progress-display.ts';
import { bad, type Finding, ok, warn } from './finding.ts';

export interface DiskFacts {
  readonly folder: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly storeBytes: number;
  /** Pages of the store that new mail takes before the file grows. */
  readonly storeFreeBytes: number;
  readonly sizes: readonly StoreSize[];
  readonly nowMs: number;
  /** `nfs`, `cifs`…; null: a disk of this machine, or not known. */
  readonly network: string | null;
}

const dayMs = 86_400_000;
/** Less says nothing about a rate: one first sync, and the year looks black. */
const basisDaysMin = 2;
const basisDays = [7, 30];

const daysBad = 3;
const daysWarn = 30;
const freeBadBytes = 200 * 1024 * 1024;
const freeWarnBytes = 2 * 1024 * 1024 * 1024;

export interface Growth {
  readonly bytesPerDay: number;
  /** How many days it was seen over. */
  readonly days: number;
}

/** The faster of a week's and a month's; null: not seen for long enough. Emptied pages are no growth. */
export function growthOf({ sizes, nowMs, storeBytes, storeFreeBytes }: DiskFacts): Growth | null {
  const usedNow = storeBytes - storeFreeBytes;
  const rates = basisDays.flatMap((days) => {
    const first = sizes.find(({ at }) => Date.parse(at) >= nowMs - days * dayMs && Date.parse(at) <= nowMs);
    const seenDays = first ? (nowMs - Date.parse(first.at)) / dayMs : 0;
    if (!first || seenDays < basisDaysMin) return [];
    return [{ bytesPerDay: (usedNow - (first.bytes - first.freeBytes)) / seenDays, days: seenDays }];
  });
  return rates.reduce<Growth | null>((most, one) => (most && most.bytesPerDay >= one.bytesPerDay ? most : one), null);
}

export function judgeDisk(facts: DiskFacts): Finding[] {
  const network =
    facts.network === null
      ? []
      : [
          bad(
            'disk',
            `the store lies on ${facts.network}: locks do not hold there`,
            'Move the store folder to a disk of this machine.',
          ),
        ];
  return [...network, judgeRoom(facts)];
}

function judgeRoom(facts: DiskFacts): Finding {
  const growth = growthOf(facts);
  const daysLeft = daysLeftOf(facts, growth);
  const found = `${formatBytes(facts.freeBytes)} of ${formatBytes(facts.totalBytes)} free at ${facts.folder}; ${told(growth, daysLeft)}`;
  const todo =
    'Free space, or move the store to a larger disk; EMAIL_TOMBSTONE_RETENTION_DAYS says how long gone mail stays.';
  if (facts.freeBytes < freeBadBytes || daysLeft < daysBad) return bad('disk', found, todo);
  if (facts.freeBytes < freeWarnBytes || daysLeft < daysWarn) return warn('disk', found, todo);
  return ok('disk', found);
}

const daysLeftOf = ({ freeBytes, storeFreeBytes }: DiskFacts, growth: Growth | null): number =>
  growth === null || growth.bytesPerDay <= 0
    ? Number.POSITIVE_INFINITY
    : (freeBytes + storeFreeBytes) / growth.bytesPerDay;

function told(growth: Growth | null, daysLeft: number): string {
  if (growth === null) return 'how fast the store grows is known after two days';
  const over = `over the last ${Math.round(growth.days)} days`;
  if (growth.bytesPerDay <= 0) return `the store did not grow ${over}`;
  const left = daysLeft > 3650 ? 'more than ten years' : `${Math.floor(daysLeft)} days`;
  return `the store grew by ${formatBytes(Math.round(growth.bytesPerDay))} a day ${over}: enough for ${left}`;
}
