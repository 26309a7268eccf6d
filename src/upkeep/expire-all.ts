/** All that has expired (store/sqlite/expire.ts). */
import type { StoreWrites } from '../store/store.ts';
import type { ExpiryLimits, ExpiryReport } from '../store/upkeep.ts';
import { stepsOf } from './steps-of.ts';

/** Half a million tombstones; what is left then goes tomorrow. */
const stepsMax = 1000;

const nothing: ExpiryReport = { tombstoneCount: 0, contentCount: 0, changeCount: 0, outboxCount: 0, isDone: true };

/** Sums of all steps. Throws what `stepsOf` throws. */
export async function expireAll(
  store: Pick<StoreWrites, 'expire'>,
  limits: ExpiryLimits,
  signal: AbortSignal,
): Promise<ExpiryReport> {
  let sum = nothing;
  let count = 0;
  for await (const step of stepsOf(() => store.expire(limits), signal)) {
    sum = add(sum, step);
    count += 1;
    if (count === stepsMax) break;
  }
  return sum;
}

const add = (a: ExpiryReport, b: ExpiryReport): ExpiryReport => ({
  tombstoneCount: a.tombstoneCount + b.tombstoneCount,
  contentCount: a.contentCount + b.contentCount,
  changeCount: a.changeCount + b.changeCount,
  outboxCount: a.outboxCount + b.outboxCount,
  isDone: b.isDone,
});

/** For the log; empty: nothing had expired. */
export function describeExpiry(report: ExpiryReport): string {
  const parts: [number, string][] = [
    [report.tombstoneCount, 'rows of vanished messages'],
    [report.contentCount, 'contents'],
    [report.changeCount, 'changes'],
    [report.outboxCount, 'outbox texts'],
  ];
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return told.length === 0 ? '' : `expired: ${told.join(', ')}`;
}
