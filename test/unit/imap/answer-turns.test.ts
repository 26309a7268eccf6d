import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAnswerTurns } from '../../../src/imap/answer-turns.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const atOnce = 7;
const patienceMs = 150;

interface Answer {
  readonly askedMs: number;
  beganMs: number;
  endedMs: number;
}

/** Answers that take so long each, asked for at such distances; `fails`: every third is none. */
async function run(given: readonly { afterMs: number; takesMs: number }[], fails = false): Promise<Answer[]> {
  const turns = createAnswerTurns();
  const startMs = Date.now();
  const answers: Answer[] = [];
  let askedMs = 0;
  const all = given.map(async ({ afterMs, takesMs }, index) => {
    askedMs += afterMs;
    const answer: Answer = { askedMs, beganMs: -1, endedMs: -1 };
    answers.push(answer);
    await new Promise((resolve) => setTimeout(resolve, askedMs));
    await turns.inTurn(async () => {
      answer.beganMs = Date.now() - startMs;
      await new Promise((resolve) => setTimeout(resolve, takesMs));
      answer.endedMs = Date.now() - startMs;
      if (fails && index % 3 === 0) throw new Error('cut');
    });
  });
  const settled = Promise.allSettled(all);
  await vi.runAllTimersAsync();
  await settled;
  return answers;
}

const answersOf = fc.array(fc.record({ afterMs: fc.nat(40), takesMs: fc.nat(400) }), { minLength: 1, maxLength: 40 });

describe('long answers of one host', () => {
  it('begin in the order in which they were asked for, and none waits longer than its patience', async () => {
    await fc.assert(
      fc.asyncProperty(answersOf, fc.boolean(), async (given, fails) => {
        const answers = await run(given, fails);
        for (const { askedMs, beganMs } of answers) {
          expect(beganMs).toBeGreaterThanOrEqual(askedMs);
          expect(beganMs - askedMs).toBeLessThanOrEqual(patienceMs);
        }
        const began = answers.map(({ beganMs }) => beganMs);
        expect(began).toEqual(began.toSorted((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });

  it('wait only where as many are under way as may be, whatever became of those before', async () => {
    await fc.assert(
      fc.asyncProperty(answersOf, fc.boolean(), async (given, fails) => {
        const answers = await run(given, fails);
        for (const { askedMs, beganMs } of answers) {
          const wasUnderWay = answers.filter((other) => other.beganMs <= askedMs && other.endedMs >= askedMs);
          if (beganMs > askedMs) expect(wasUnderWay.length).toBeGreaterThanOrEqual(atOnce);
          if (beganMs - askedMs >= patienceMs) continue;
          const underWay = answers.filter((other) => other.beganMs < beganMs && other.endedMs > beganMs);
          expect(underWay.length).toBeLessThan(atOnce);
          if (beganMs === askedMs) continue;
          // It waited, so its place became free just now.
          expect(answers.some((other) => other.endedMs === beganMs)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('end as they end', async () => {
    const turns = createAnswerTurns();
    await expect(turns.inTurn(() => Promise.resolve(7))).resolves.toBe(7);
    await expect(turns.inTurn(() => Promise.reject(new Error('cut')))).rejects.toThrow('cut');
  });
});
