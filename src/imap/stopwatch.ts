/**
 * The wall-clock bound of a transfer: so long for the command, plus so long for each MiB that came. imapflow's own timeout is
 * for silence only, and a byte a second is not silence. Bytes that nobody asked for have a bound of their own: a server that
 * sends them fast would never be late.
 */
import { EngineError } from '../base/errors.ts';
import type { Transfer } from './link.ts';
import type { SessionOptions } from './session.ts';

export interface Stopwatch {
  /** A row of this many bytes is in our hands: our time, not the server's. */
  pause(bytes: number): void;
  /** So many of them were a row that was asked for. */
  noteAsked(bytes: number): void;
  /** Does nothing after `stop`: a row may still be in our hands when the transfer has failed. */
  resume(): void;
  stop(): void;
  transfer(): Transfer;
  /** What ended the transfer, if this did. */
  failure(): EngineError | null;
}

const bytesPerMib = 1024 * 1024;
/**
 * Beside as much again as was asked for: an answer under way (32 MiB at most), and 8 MiB of what other programs do in the folder
 * meanwhile: a hundred thousand flags.
 */
const needlessBytesMax = 40 * bytesPerMib;

export function createStopwatch(
  options: Pick<SessionOptions, 'commandTimeoutMs' | 'transferTimeoutMsPerMib' | 'signal'>,
  onExpire: () => void,
): Stopwatch {
  let leftMs = options.commandTimeoutMs;
  let startedMs = performance.now();
  let failure: EngineError | null = null;
  let isStopped = false;
  let bytesCome = 0;
  let bytesAsked = 0;
  let waitedMs = 0;
  const expire = (reason: EngineError) => (): void => {
    failure = reason;
    onExpire();
  };
  const onTime = expire(new EngineError('timeout', 'FETCH: the server is too slow'));
  const onNeedless = expire(
    new EngineError('response_too_large', `FETCH: more than ${needlessBytesMax} bytes that nobody asked for`),
  );
  const onAbort = expire(new EngineError('aborted', 'FETCH'));
  let timer = setTimeout(onTime, leftMs);
  options.signal.addEventListener('abort', onAbort, { once: true });
  return {
    pause(bytes) {
      clearTimeout(timer);
      const earnedMs = (bytes / bytesPerMib) * options.transferTimeoutMsPerMib;
      const spentMs = performance.now() - startedMs;
      leftMs = Math.min(options.commandTimeoutMs, leftMs - spentMs + earnedMs);
      bytesCome += bytes;
      waitedMs += spentMs;
      if (failure === null && bytesCome > 2 * bytesAsked + needlessBytesMax) onNeedless();
    },
    noteAsked(bytes) {
      bytesAsked += bytes;
    },
    resume() {
      if (isStopped || failure !== null) return;
      startedMs = performance.now();
      timer = setTimeout(onTime, Math.max(1, leftMs));
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
    },
    transfer: () => ({ bytes: bytesCome, waitedMs }),
    failure: () => failure,
  };
}
