/** Reading for a single command: what is there to read, to its end. */
import type { ReadReport } from '../sync/read.ts';
import type { Engine } from './engine.ts';

const sliceMs = 5000;

/** Ends when nothing is left, when the signal fires, or with the first slice that failed: the next run goes on. */
export async function runReading(
  { threads, log }: Engine,
  signal: AbortSignal,
): Promise<Pick<ReadReport, 'readCount'>> {
  let readCount = 0;
  for (let hasMore = true; hasMore && !signal.aborted; ) {
    const outcome = await threads.run('read', { countMax: Number.MAX_SAFE_INTEGER, msMax: sliceMs }, null);
    if ('error' in outcome) {
      if (outcome.error.code !== 'aborted') log.warn(`reading: ${outcome.error.detail}`);
      return { readCount };
    }
    readCount += outcome.report.readCount;
    hasMore = outcome.report.hasMore;
  }
  return { readCount };
}
