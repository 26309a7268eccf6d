/** When the outbox is looked at again, and how long an account is left alone after tasks that found nothing to do. Pure. */

import { type Instant, toMs } from '../../base/clock.ts';

const firstMs = 250;
const lastMs = 60_000;

/** 0.25, 0.5, 1 … 60 s. */
export const idleWaitMs = (count: number): number =>
  Math.min(lastMs, firstMs * 2 ** Math.min(Math.max(0, count - 1), 10));

/** The clock may be set meanwhile. */
const sleepMsMax = 60_000;

/** An instant that is no time must neither spin nor sleep for ever. */
export const sleepMs = (nextAt: Instant, nowMs: number): number =>
  Math.min(sleepMsMax, Math.max(0, (toMs(nextAt) ?? Number.POSITIVE_INFINITY) - nowMs));
