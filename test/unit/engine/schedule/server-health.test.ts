import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../../src/base/errors.ts';
import {
  type Answer,
  afterAnswer,
  passesAllowed,
  type ServerHealth,
  unknownHealth,
} from '../../../../src/engine/schedule/server-health.ts';
import { day, hour, minute, noonMs, second } from '../schedule-fixture.ts';

const error = (code: ErrorCode, notBefore?: string): Answer['error'] => ({
  code,
  scope: 'account',
  remedy: 'retry',
  detail: 'x',
  ...(notBefore === undefined ? {} : { notBefore }),
});
const answer = (acntid: number, code: ErrorCode | null, startedMs = noonMs): Answer => ({
  acntid,
  startedMs,
  endedMs: startedMs + second,
  error: code && error(code),
});
const well = unknownHealth('mail.example.com:993');
const healthAfter = (answers: readonly Answer[], health = well): ServerHealth => answers.reduce(afterAnswer, health);
const down = healthAfter([1, 2, 3].map((acntid) => answer(acntid, 'connection_refused')));

describe('a server', () => {
  it('rests when three accounts in a row find it failing, and none before', () => {
    expect(passesAllowed(healthAfter([answer(1, 'timeout'), answer(2, 'timeout')]), noonMs)).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(passesAllowed(down, noonMs + second)).toBe(0);
    expect(down).toMatchObject({ failureCount: 1, lastError: 'connection_refused: x' });
  });

  it('is not blamed for what happens to one account, nor when others get on well between', () => {
    expect(healthAfter(Array.from({ length: 9 }, () => answer(1, 'timeout'))).failureCount).toBe(0);
    expect(
      healthAfter([answer(1, 'timeout'), answer(2, 'timeout'), answer(3, null), answer(4, 'timeout')]).failureCount,
    ).toBe(0);
    expect(healthAfter([1, 2, 3, 4].map((acntid) => answer(acntid, 'auth_failed'))).failureCount).toBe(0);
  });

  it('is tried by one pass after its rest, and rests longer when that fails', () => {
    const retryMs = down.retryMs ?? 0;
    expect(retryMs - noonMs).toBeGreaterThanOrEqual(30 * second);
    expect(passesAllowed(down, retryMs)).toBe(1);
    const again = afterAnswer(down, answer(9, 'connection_refused', retryMs));
    expect((again.retryMs ?? 0) - retryMs).toBeGreaterThanOrEqual(minute);
    expect(passesAllowed(afterAnswer(again, answer(9, null, again.retryMs ?? 0)), 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not rest longer because of passes that were under way when it failed', () => {
    const wave = healthAfter(
      [4, 5, 6, 7].map((acntid) => answer(acntid, 'connection_lost', noonMs - minute)),
      down,
    );
    expect(wave).toEqual(down);
  });

  it('is well again with any answer, be it a refused login, and remembers when', () => {
    const healed = afterAnswer(down, answer(8, 'auth_failed', noonMs + hour));
    expect(healed).toEqual({ ...well, okMs: noonMs + hour + second });
  });

  it('is obeyed when it names a time, for a day at most', () => {
    const named = (ms: number): number => {
      const notBefore = new Date(noonMs + ms).toISOString();
      const answers = [1, 2, 3].map((acntid) => ({ ...answer(acntid, null), error: error('throttled', notBefore) }));
      return (healthAfter(answers).retryMs ?? 0) - noonMs;
    };
    expect(named(5 * minute)).toBeGreaterThanOrEqual(5 * minute);
    expect(named(5 * minute)).toBeLessThan(6 * minute);
    expect(named(30 * day)).toBeLessThan(25 * hour);
  });

  it('that rests until far in the future does so by a clock that jumped: it is tried at once', () => {
    expect(passesAllowed({ ...down, retryMs: noonMs + 400 * day }, noonMs)).toBe(1);
  });

  it('never rests for more than a day and five minutes, whatever answers come', () => {
    const codes = fc.constantFrom<ErrorCode | null>('timeout', 'throttled', 'auth_failed', 'not_imap', null);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), codes, fc.nat(7200))), (steps) => {
        let [health, nowMs] = [well, noonMs];
        for (const [acntid, code, seconds] of steps) {
          nowMs += seconds * second;
          health = afterAnswer(health, answer(acntid, code, nowMs));
          expect((health.retryMs ?? 0) - nowMs).toBeLessThan(24 * hour + 6 * minute);
          expect(health.suspects.length).toBeLessThan(3);
          if (code === null) expect(health.failureCount).toBe(0);
        }
      }),
    );
  });
});
