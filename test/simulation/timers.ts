/** setTimeout and clearTimeout on simulated time, for code under test that sleeps. */
import type { Timeline } from './timeline.ts';

export interface Timers {
  readonly set: (happen: () => void, ms?: number) => Timer;
  readonly clear: (timer: Timer | undefined) => void;
  /** Whether any has gone off since the last `settle`. */
  hasFired(): boolean;
  /** Lets everything run on until it sleeps again. */
  settle(): Promise<void>;
}

interface Timer {
  isOver: boolean;
  unref(): Timer;
}

/** Nothing here waits for the outside: a few turns are enough. A tick comes when every promise is settled that can be, and costs less. */
const turnCountMax = 1000;
const tickCount = 5;
const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function createTimers(time: Timeline): Timers {
  let waitingCount = 0;
  let isFired = false;
  const end = (timer: Timer): void => {
    if (!timer.isOver) waitingCount -= 1;
    timer.isOver = true;
  };
  return {
    set(happen, ms = 0) {
      const timer: Timer = { isOver: false, unref: () => timer };
      waitingCount += 1;
      time.at(time.nowMs + ms, () => {
        if (timer.isOver) return;
        end(timer);
        isFired = true;
        happen();
      });
      return timer;
    },
    clear: (timer) => timer && end(timer),
    hasFired: () => isFired,
    async settle() {
      isFired = false;
      for (let turns = 0; turns < turnCountMax; turns += 1) {
        await (turns < tickCount ? tick() : turn());
        if (waitingCount > 0) return;
      }
      throw new Error('never came to rest');
    },
  };
}
