/** The mail of all accounts that are being removed, step by step, with pauses in which others write. */
import { setTimeout as wait } from 'node:timers/promises';
import { throwIfAborted } from '../base/abort.ts';
import type { StoreWrites } from '../store/store.ts';

/** As long as a step takes: the store is at most half busy with it. */
const pauseMs = 50;

/** Returns how many messages it was. Throws `aborted`, and what the store throws; what was done by then stays done. */
export async function clearAllRemoved(
  store: Pick<StoreWrites, 'clearRemoved'>,
  signal: AbortSignal,
  onProgress: (messageCount: number) => void = () => undefined,
): Promise<number> {
  let messageCount = 0;
  for (let step = await store.clearRemoved(); !step.isDone; step = await store.clearRemoved()) {
    messageCount += step.messageCount;
    onProgress(messageCount);
    await wait(pauseMs);
    throwIfAborted(signal);
  }
  return messageCount;
}
