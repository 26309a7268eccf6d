/** Notices that the wall clock was set, or that the machine slept: by comparing it with a clock that only counts. */

/** NTP slews by less; a schedule of minutes does not mind it. */
const jumpMs = 60_000;

/** Returns a question to be asked again and again: has the wall clock jumped since the last time? */
export function createClockWatch(nowMs: () => number, monotonicMs: () => number): () => boolean {
  let lastMs = nowMs() - monotonicMs();
  return () => {
    const beforeMs = lastMs;
    lastMs = nowMs() - monotonicMs();
    return Math.abs(lastMs - beforeMs) > jumpMs;
  };
}
