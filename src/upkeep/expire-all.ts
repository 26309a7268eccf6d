/** All that has expired, step by step, with pauses in which others write. */
import { setTimeout as wait } from 'node:timers/promises';
import { throwIfAborted } from '../base/abort.ts';
import type { StoreWrites } from '../store/store.ts';
import type { ExpiryLimits, ExpiryReport } from '../store/upkeep.ts';

/** As long as a step takes: the store thread is at most half busy with it. */
const pauseMs = 50;
/** Half a million tombstones; what is left then goes tomorrow. */
const stepsMax = 1000;

/** Sums of all steps. Throws `aborted`, and what the store throws; what was done by then stays done. */
export async function expireAll(
  store: Pick<StoreWrites, 'expire'>,
  limits: ExpiryLimits,
  signal: AbortSignal,
): Promise<ExpiryReport> {
  let sum = await store.expire(limits);
  for (let step = 1; step < stepsMax && !sum.isDone; step += 1) {
    await wait(pauseMs);
    throwIfAborted(signal);
    sum = add(sum, await store.expire(limits));
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
