/** Turns of the schedule, one after the other: at once when woken, else when the last turn said there would be more to do. */

export interface Turns {
  wake(): void;
  stop(): void;
}

export interface TurnsOptions {
  /** Returns in how many ms the next turn is wanted; Infinity: when woken. */
  readonly turn: () => Promise<number>;
  readonly onError: (error: unknown) => void;
}

/** Nobody relies on this one: it mends what a lost wake-up would leave undone. */
const sleepMsMax = 10_000;
/** After a turn that failed. */
const errorMs = 1000;

export function createTurns({ turn, onError }: TurnsOptions): Turns {
  let timer: NodeJS.Timeout | undefined;
  let isTurning = false;
  let isWanted = false;
  let isStopped = false;

  const once = async (): Promise<number> => {
    try {
      return await turn();
    } catch (error) {
      onError(error);
      return errorMs;
    }
  };
  const loop = async (): Promise<void> => {
    isTurning = true;
    let restMs = 0;
    do {
      isWanted = false;
      restMs = await once();
    } while (isWanted && !isStopped);
    isTurning = false;
    if (!isStopped) timer = setTimeout(() => void loop(), Math.max(0, Math.min(restMs, sleepMsMax)));
  };
  return {
    wake() {
      isWanted = true;
      if (isTurning || isStopped) return;
      clearTimeout(timer);
      void loop();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
