/** Which instants the retention days of the configuration come to. Pure. */
import { type Instant, toInstant } from '../base/clock.ts';
import type { ExpiryLimits } from '../store/upkeep.ts';

export interface RetentionDays {
  readonly EMAIL_TOMBSTONE_RETENTION_DAYS: number | null;
  readonly EMAIL_CHANGES_RETENTION_DAYS: number | null;
  readonly EMAIL_OUTBOX_RETENTION_DAYS: number | null;
}

const dayMs = 86_400_000;
/** A thread holds on to the number of a content for as long as its window takes: minutes. */
const contentGraceMs = 3_600_000;

export function expiryLimits(days: RetentionDays, now: Date): ExpiryLimits {
  const before = (count: number | null): Instant | null =>
    count === null ? null : toInstant(new Date(now.getTime() - count * dayMs));
  return {
    tombstonesBefore: before(days.EMAIL_TOMBSTONE_RETENTION_DAYS),
    contentsBefore: toInstant(new Date(now.getTime() - contentGraceMs)),
    changesBefore: before(days.EMAIL_CHANGES_RETENTION_DAYS),
    outboxBefore: before(days.EMAIL_OUTBOX_RETENTION_DAYS),
    at: toInstant(now),
  };
}
