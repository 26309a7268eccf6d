/** The work of a drain: one batch is fetched at a time, and before the last is used up, so that no connection waits for the store. */
import type { Work } from './prepare.ts';
import type { DrainInput } from './team.ts';

/** Entries written down as begun at a time: a commit for many, and few to recover when the process dies. */
const batchEntries = 50;
/** The next batch is composed and committed while this many are still to be sent. */
const lowWater = 25;

export interface WorkQueue {
  next(): Promise<Work | null>;
  /** Asks again after it was empty: something may have come in since. */
  look(): Promise<void>;
  putBack(work: Work): void;
  stop(): void;
  /** Attempts that nobody took. */
  left(): number[];
  /** 0 when it is over: what is left then is for nobody to take. */
  waitingCount(): number;
  onFilled: () => void;
}

export function createWorkQueue(input: DrainInput): WorkQueue {
  const waiting: Work[] = [];
  let fetching: Promise<void> | null = null;
  let isEmpty = false;
  let isStopped = false;
  let isFirst = true;
  const fetchBatch = async (): Promise<void> => {
    const works = await input.claim(isFirst ? input.connections : batchEntries);
    isFirst = false;
    isEmpty = works.length === 0;
    waiting.push(...works);
    queue.onFilled();
  };
  const fill = (): Promise<void> => {
    fetching ??= fetchBatch().finally(() => {
      fetching = null;
    });
    return fetching;
  };
  const isOver = (): boolean => isStopped || input.signal.aborted;
  const queue: WorkQueue = {
    onFilled: () => undefined,
    async next() {
      while (!isOver()) {
        if (!isEmpty && waiting.length === 0) await fill();
        // A batch that comes early; a failure of it is told to whoever waits for the next.
        else if (!isEmpty && !isFirst && waiting.length < lowWater) fill().catch(() => undefined);
        if (isOver()) break;
        const work = waiting.shift();
        if (work || isEmpty) return work ?? null;
      }
      return null;
    },
    async look() {
      if (isOver() || waiting.length > 0) return;
      isEmpty = false;
      await fill();
    },
    waitingCount: () => (isOver() ? 0 : waiting.length),
    putBack: (work) => void waiting.unshift(work),
    stop() {
      isStopped = true;
    },
    left: () => waiting.splice(0).map(({ attemptId }) => attemptId),
  };
  return queue;
}
