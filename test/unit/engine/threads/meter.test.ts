import { performance } from 'node:perf_hooks';
import { expect, it } from 'vitest';
import { shareBetween } from '../../../../src/engine/threads/meter.ts';

it('a thread that works half of the time is half busy', () => {
  expect(shareBetween({ idle: 100, active: 100, utilization: 0 }, { idle: 600, active: 600, utilization: 0 })).toBe(
    0.5,
  );
});

it('a thread that is ending is not busy 37,155 %', () => {
  // Node 20.20, from a worker that had just closed its port.
  const [since, now] = [
    { idle: 1432, active: 8, utilization: 0 },
    { idle: -1, active: 1445, utilization: 0 },
  ];
  expect(performance.eventLoopUtilization(now, since).utilization).toBeGreaterThan(100);
  expect(shareBetween(since, now)).toBe(0);
  expect(shareBetween(now, { idle: -1, active: 1446, utilization: 0 })).toBe(0);
});
