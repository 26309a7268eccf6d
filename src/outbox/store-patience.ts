/**
 * A store that takes nothing just now: an application holds a write transaction, or the disk is full. That is nobody's fault here,
 * and passes; what must not be lost meanwhile is written again and again. Any other failure is thrown at once.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { asEngineError, type EngineError } from '../base/errors.ts';

/** A transaction that nobody ends must not keep a task, or a stopping engine, for ever. */
const storeWaitMsMax = 5 * 60_000;
/** Between two tries; a busy store has let the last one wait already. */
const pauseMs = 250;

const isPassing = ({ code }: EngineError): boolean => code === 'store_busy' || code === 'store_full';

/**
 * Writes until the store takes it; throws the last failure when `storeWaitMsMax` is over, or `signal` says that it need not be.
 * `onTrouble` hears of the first.
 */
export async function untilTaken<T>(
  write: () => Promise<T>,
  onTrouble: (failure: EngineError) => void,
  signal?: AbortSignal,
): Promise<T> {
  const endMs = performance.now() + storeWaitMsMax;
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      const failure = asEngineError(error);
      if (!isPassing(failure) || performance.now() > endMs || signal?.aborted) throw failure;
      if (tries === 1) onTrouble(failure);
      await wait(pauseMs);
    }
  }
}
