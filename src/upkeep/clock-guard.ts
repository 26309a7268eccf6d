/**
 * Is the clock to be believed? Whoever removes what is old asks first: a clock set ten years forward for a minute must not empty
 * the log folder and the tombstones. Wall time that moves by more than an hour against monotonic time has jumped, and for a day
 * after that nothing is removed. (A suspended machine looks the same, and loses a day.)
 */
import type { Clock } from '../base/clock.ts';

const jumpMs = 3_600_000;
const distrustMs = 86_400_000;

export interface ClockGuard {
  /** To be asked at every tick. */
  isTrusted(): boolean;
}

export function createClockGuard(clock: Clock, monotonicMs: () => number): ClockGuard {
  let offsetMs = clock().getTime() - monotonicMs();
  let jumpedMs: number | null = null;
  return {
    isTrusted() {
      const nowMs = monotonicMs();
      const newOffsetMs = clock().getTime() - nowMs;
      if (Math.abs(newOffsetMs - offsetMs) > jumpMs) jumpedMs = nowMs;
      offsetMs = newOffsetMs;
      return jumpedMs === null || nowMs - jumpedMs >= distrustMs;
    },
  };
}
