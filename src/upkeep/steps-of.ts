/** Work that the store does in bounded steps: one after the other until the last, with pauses in which others write. */
import { setTimeout as wait } from 'node:timers/promises';
import { throwIfAborted } from '../base/abort.ts';

/** As long as a step takes: the store thread is at most half busy with it. */
const pauseMs = 50;

/** Throws `aborted`, and what a step throws; what was done by then stays done. */
export async function* stepsOf<Step extends { readonly isDone: boolean }>(
  take: () => Promise<Step>,
  signal: AbortSignal,
): AsyncGenerator<Step> {
  for (let step = await take(); ; step = await take()) {
    yield step;
    if (step.isDone) return;
    await wait(pauseMs);
    throwIfAborted(signal);
  }
}
