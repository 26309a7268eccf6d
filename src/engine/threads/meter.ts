/** How busy a thread is: for whoever gives it more to do, and for `status`. */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Worker } from 'node:worker_threads';

/** A figure over less time than this says little. */
const meterMs = 1000;

/** The share of the last second or more that the thread's event loop was at work. */
export function createMeter(worker: Worker): () => number {
  let since: EventLoopUtilization = worker.performance.eventLoopUtilization();
  let takenMs = performance.now();
  let share = 0;
  return () => {
    if (performance.now() - takenMs < meterMs) return share;
    const now = worker.performance.eventLoopUtilization();
    share = shareBetween(since, now);
    since = now;
    takenMs = performance.now();
    return share;
  };
}

/** 0 to 1. A thread that is ending has no loop any more: Node says -1 ms of idleness then, and all its life were work. */
export function shareBetween(since: EventLoopUtilization, now: EventLoopUtilization): number {
  if (now.idle < since.idle || now.idle < 0) return 0;
  return performance.eventLoopUtilization(now, since).utilization;
}
