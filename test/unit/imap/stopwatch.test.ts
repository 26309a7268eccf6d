import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createStopwatch, type Stopwatch } from '../../../src/imap/stopwatch.ts';

const mib = 1024 * 1024;

describe('the stopwatch of a transfer', () => {
  let expiredCount: number;
  let stopwatch: Stopwatch;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    expiredCount = 0;
    const options = { commandTimeoutMs: 1000, transferTimeoutMsPerMib: 500, signal: new AbortController().signal };
    stopwatch = createStopwatch(options, () => {
      expiredCount += 1;
    });
  });
  afterEach(() => vi.useRealTimers());

  it('stands still while a row is in our hands, and gives time for what came', () => {
    vi.advanceTimersByTime(900);
    stopwatch.pause(mib);
    vi.advanceTimersByTime(60_000);
    stopwatch.resume();
    vi.advanceTimersByTime(599);
    expect([expiredCount, stopwatch.failure()]).toEqual([0, null]);
    vi.advanceTimersByTime(1);
    expect([expiredCount, stopwatch.failure()?.code]).toEqual([1, 'timeout']);
  });

  it('leaves no timer behind when a row is done with after the end, which would keep its thread', () => {
    stopwatch.pause(1);
    stopwatch.stop();
    stopwatch.resume();
    expect(vi.getTimerCount()).toBe(0);
  });
});
