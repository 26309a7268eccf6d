/** Every command ends: by its answer, by its deadline, or by the signal; the latter two close the socket. */
import type { ImapFlow } from 'imapflow';
import { withDeadline } from '../base/abort.ts';
import { EngineError } from '../base/errors.ts';
import { toEngineError } from './failure.ts';
import { internalsOf } from './internals.ts';
import type { SessionOptions } from './session.ts';

/** `rowCount`: so many rows may be in the answer, which then may take longer. `as it comes`: nobody knows how many. */
export type RunCommand = <T>(what: string, work: () => Promise<T>, rowCount?: number | 'as it comes') => Promise<T>;

/** A row of flags is about 60 bytes: so a folder of a million is given eight minutes, which 1 Mbit/s needs. */
const msPerRow = 0.5;
/** A server may say any number: with four billion it would be given weeks, or, beyond what a timer can count, no time at all. */
const rowsMsMax = 30 * 60_000;

/**
 * A server that names its folders as slowly as one a second is at work: one that it has not indexed costs it milliseconds, on a slow
 * disk tens, and 20,000 of them took Dovecot two minutes. Below, it drips.
 */
const bytesPerMsMin = 0.1;
/** 100,000 folders. More is no listing. */
const comesBytesMax = 16 * 1024 * 1024;

const isBeyondBounds = ({ code }: EngineError): boolean => code === 'response_too_large' || code === 'memory_short';

export const createRunner = (options: SessionOptions, client: ImapFlow): RunCommand => {
  // Of an answer beyond all bounds, our own too, only the listeners are told; the command learns that the connection is gone.
  let lastEvent: unknown = null;
  client.on('error', (error: Error) => {
    lastEvent = error;
  });
  return async (what, work, rowCount = 0) => {
    if (!client.usable) throw new EngineError('connection_lost', what);
    const { commandTimeoutMs } = options;
    try {
      const result = await withDeadline(work(), {
        ...(rowCount === 'as it comes'
          ? { ms: commandTimeoutMs, moreMs: whileItComes(client, commandTimeoutMs) }
          : { ms: commandTimeoutMs + Math.min(rowsMsMax, Math.ceil(rowCount * msPerRow)) }),
        onExpire: () => client.close(),
        signal: options.signal,
        what,
      });
      throwIfBye(client, what);
      return result;
    } catch (error) {
      const context = { what, nowMs: Date.now() };
      const failure = toEngineError(error, context);
      const cause = failure.code === 'connection_lost' ? toEngineError(lastEvent, context) : failure;
      throw isBeyondBounds(cause) ? cause : failure;
    }
  };
};

/** What comes with a BYE is no answer, also where the server says OK behind it: no row of it looks like an empty folder. */
function throwIfBye(client: ImapFlow, what: string): void {
  const { byeReason } = internalsOf(client);
  if (typeof byeReason === 'string') throw toEngineError({ reason: byeReason }, { what, nowMs: Date.now() });
}

/** From now on: as long again, while what came meanwhile is worth it. */
function whileItComes(client: ImapFlow, commandTimeoutMs: number): () => number {
  const startMs = performance.now();
  const first = client.stats().received;
  let last = first;
  return () => {
    const { received } = client.stats();
    const isAtWork = received - last >= commandTimeoutMs * bytesPerMsMin && received - first <= comesBytesMax;
    last = received;
    return isAtWork && performance.now() - startMs < rowsMsMax ? commandTimeoutMs : 0;
  };
}
