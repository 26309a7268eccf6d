/** Bounded waiting. Everything that waits takes an AbortSignal, and every wait has a deadline. */
import { EngineError } from './errors.ts';

/** Rejects with `aborted` once the signal fires; resolves with the work's own outcome otherwise. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new EngineError('aborted', '');
}

export interface Deadline {
  /** Monotonic: a clock that jumps, or a suspended host, does not move it. */
  readonly ms: number;
  /** Asked when time is up: so many ms more, because work is seen to go on; 0 or less: it is over. */
  readonly moreMs?: () => number;
  /** Called once when time is up or the signal fires; it must make `work` settle, for instance by closing its socket. */
  readonly onExpire: () => void;
  readonly signal?: AbortSignal;
  readonly what: string;
}

/** Waits for `work` no longer than `deadline.ms`; then `onExpire` runs and `timeout` (or `aborted`) is thrown. */
export async function withDeadline<T>(work: Promise<T>, deadline: Deadline): Promise<T> {
  let reject: (error: EngineError) => void = () => undefined;
  const expired = new Promise<never>((_, rejectExpired) => {
    reject = rejectExpired;
  });
  const expire = (error: EngineError): void => {
    reject(error);
    deadline.onExpire();
  };
  const onAbort = (): void => expire(new EngineError('aborted', deadline.what));
  let givenMs = deadline.ms;
  const onTime = (): void => {
    const moreMs = Math.ceil(deadline.moreMs?.() ?? 0);
    if (moreMs > 0) {
      givenMs += moreMs;
      timer = setTimeout(onTime, moreMs);
    } else expire(new EngineError('timeout', `${deadline.what}: no end after ${givenMs} ms`));
  };
  let timer = setTimeout(onTime, deadline.ms);
  deadline.signal?.addEventListener('abort', onAbort, { once: true });
  if (deadline.signal?.aborted) onAbort();
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
    deadline.signal?.removeEventListener('abort', onAbort);
  }
}
