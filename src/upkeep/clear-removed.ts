/** The mail of all accounts that are being removed, and the accounts (store/sqlite/remove-account.ts). */
import type { StoreWrites } from '../store/store.ts';
import { stepsOf } from './steps-of.ts';

/** Returns how many messages it was; `onProgress` is told after each step. Throws what `stepsOf` throws. */
export async function clearAllRemoved(
  store: Pick<StoreWrites, 'clearRemoved'>,
  signal: AbortSignal,
  onProgress: (messageCount: number) => void = () => undefined,
): Promise<number> {
  let messageCount = 0;
  for await (const step of stepsOf(() => store.clearRemoved(), signal)) {
    messageCount += step.messageCount;
    onProgress(messageCount);
  }
  return messageCount;
}
