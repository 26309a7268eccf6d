/**
 * Writes down how attempts come along, for all connections of a task together: while one transaction is committed, what happens
 * meanwhile gathers for the next. A verdict waits a moment for the next mail's `data_started`, which usually comes over the same
 * connection at once: so a mail costs one commit that somebody waits for, shared with those of the other connections.
 *
 * A store that takes nothing for a while (store-patience.ts) costs no verdict: those are written again until it does, no transaction
 * begins meanwhile, and a body that was about to leave does not. When the store fails for good, everything that waits fails, and the
 * task with it.
 */
import { asEngineError, EngineError } from '../base/errors.ts';
import type { OutboxWrites } from '../store/outbox.ts';
import type { AttemptResult } from '../store/outbox-entry.ts';
import { untilTaken } from './store-patience.ts';

export interface Journal {
  /** Runs a transaction, once the store takes what is to be written; others wait a moment for it before they commit. */
  during<T>(transaction: () => Promise<T>): Promise<T>;
  /** Resolves when `data_started` is committed; rejects when the attempt is no longer ours: the body must not leave. */
  started(attemptId: number): Promise<void>;
  replyLate(attemptId: number): void;
  /** Need not be waited for: the next `started` is committed after it or with it. */
  finished(result: AttemptResult): void;
  /** Resolves when all is committed; throws what the store threw. */
  end(): Promise<void>;
}

/**
 * So long the first body waits for those of the other connections; on a lone connection not at all. Half a commit: what is gained
 * by sharing one, on a slow disk as on a fast one.
 */
const gatherMsMin = 1;
const gatherMsMax = 5;
const gatherMs = (commitMs: number): number => Math.min(gatherMsMax, Math.max(gatherMsMin, commitMs / 2));
/** So long a verdict waits for company; a process that dies meanwhile leaves that mail unknown. */
const verdictMs = 4;

interface Waiter {
  readonly attemptId: number;
  readonly resolve: () => void;
  readonly reject: (error: EngineError) => void;
}

/** `onTrouble`: the store takes nothing just now. */
export function createJournal(
  store: Pick<OutboxWrites, 'recordAttempts'>,
  onTrouble: (failure: EngineError) => void,
): Journal {
  let waiters: Waiter[] = [];
  let bodySent: number[] = [];
  let finished: AttemptResult[] = [];
  let underWay = 0;
  let commitMs = gatherMsMin;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let timerAtMs = Number.POSITIVE_INFINITY;
  /** The store takes nothing just now. */
  let trouble: EngineError | null = null;
  let failure: EngineError | null = null;

  const refuse = (asked: readonly Waiter[], why: EngineError): void => {
    for (const { reject } of asked) reject(why);
  };
  const flushOnce = async (): Promise<void> => {
    let asked = waiters;
    const verdicts = { bodySent, finished };
    waiters = [];
    bodySent = [];
    finished = [];
    let startedMs = 0;
    const record = (): Promise<readonly number[]> => {
      startedMs = performance.now();
      return store.recordAttempts({ dataStarted: asked.map(({ attemptId }) => attemptId), ...verdicts });
    };
    try {
      const lost = await untilTaken(record, (first) => {
        // A server does not wait for our store: those mails go back as if they had never begun.
        trouble = first;
        refuse([...asked, ...waiters], first);
        asked = [];
        waiters = [];
        onTrouble(first);
      });
      settle(asked, lost);
      commitMs = performance.now() - startedMs;
    } catch (error) {
      failure ??= asEngineError(error);
      refuse(asked, failure);
      await recordApart(verdicts.finished);
    }
    trouble = null;
  };
  /** What the store refuses may be one mail's alone (a trigger): the others were sent, and must not become unknown for it. */
  const recordApart = async (results: readonly AttemptResult[]): Promise<void> => {
    const nothing = { dataStarted: [], bodySent: [] };
    if (results.length > 1)
      await Promise.allSettled(results.map((result) => store.recordAttempts({ ...nothing, finished: [result] })));
  };
  const run = async (): Promise<void> => {
    await flushOnce();
    running = null;
    plan();
  };
  const flush = (): void => {
    clearTimeout(timer);
    timerAtMs = Number.POSITIVE_INFINITY;
    running ??= run();
  };
  const flushWithin = (ms: number): void => {
    const atMs = performance.now() + ms;
    if (atMs >= timerAtMs) return;
    clearTimeout(timer);
    timerAtMs = atMs;
    timer = setTimeout(flush, ms);
  };
  /** Every transaction waits: now. Some do: soon. Only verdicts: when they have waited for company. */
  const plan = (): void => {
    if (running) return;
    if (waiters.length > 0 && waiters.length >= underWay) flush();
    else if (waiters.length + bodySent.length > 0) flushWithin(gatherMs(commitMs));
    else if (finished.length > 0) flushWithin(verdictMs);
  };
  return {
    async during(transaction) {
      while (trouble && running) await running;
      if (failure) throw failure;
      underWay += 1;
      try {
        return await transaction();
      } finally {
        underWay -= 1;
        plan();
      }
    },
    async started(attemptId) {
      const refusal = failure ?? trouble;
      if (refusal) throw refusal;
      await new Promise<void>((resolve, reject) => {
        waiters.push({ attemptId, resolve, reject });
        plan();
      });
    },
    replyLate(attemptId) {
      bodySent.push(attemptId);
      plan();
    },
    finished(result) {
      finished.push(result);
      plan();
    },
    async end() {
      while (running !== null || finished.length > 0) {
        flush();
        await running;
      }
      if (failure) throw failure;
    },
  };
}

function settle(asked: readonly Waiter[], lost: readonly number[]): void {
  for (const { attemptId, resolve, reject } of asked) {
    if (lost.includes(attemptId)) reject(new EngineError('aborted', `attempt ${attemptId} is no longer running`));
    else resolve();
  }
}
