/** How long the outbox of an account is left alone after tasks that found nothing to do although the store named it. Pure. */

const firstMs = 250;
const lastMs = 60_000;

/** 0.25, 0.5, 1 … 60 s. */
export const idleWaitMs = (count: number): number =>
  Math.min(lastMs, firstMs * 2 ** Math.min(Math.max(0, count - 1), 10));
