/** One deadline after another: each step of a transaction has its own, and the first that passes ends the transaction. */
import { EngineError } from '../base/errors.ts';

export interface StepTimer {
  /** Ends the step before it. Monotonic. */
  start(what: string, ms: number): void;
  stop(): void;
}

export function createStepTimer(onExpire: (failure: EngineError) => void): StepTimer {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    start(what, ms) {
      stop();
      timer = setTimeout(() => onExpire(new EngineError('timeout', `${what}: no end after ${ms} ms`)), ms);
    },
    stop,
  };
}
