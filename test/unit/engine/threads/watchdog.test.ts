import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeThread, type WatchdogLimits, type WatchedThread } from '../../../../src/engine/threads/watchdog.ts';

const limits: WatchdogLimits = {
  runMsMax: { pass: 1000, read: 1000, send: 1000, file: 1000 },
  cancelMsMax: 100,
  stallMs: 50,
  standstillMs: 500,
};
const task = (runMs: number, wasCancelled = false) => ({ taskId: runMs, what: 'pass' as const, runMs, wasCancelled });
const thread = (beatAgeMs: number, ...tasks: WatchedThread['tasks']): WatchedThread => ({
  name: 't1',
  beatAgeMs,
  tasks,
});

describe('the watchdog', () => {
  it.each([
    ['leaves a thread alone that turns and whose tasks are young', thread(0, task(999)), undefined],
    ['tells of an event loop that stands still', thread(50), { kind: 'tell-stall' }],
    ['replaces a thread that does not turn again', thread(500, task(1)), { kind: 'replace' }],
    ['cuts the connections of a task past its time', thread(0, task(5), task(1000)), { kind: 'cancel', taskId: 1000 }],
    ['gives a cancelled task some time to end', thread(0, task(1099, true)), undefined],
    ['replaces a thread whose cancelled task does not end', thread(0, task(1100, true)), { kind: 'replace' }],
    [
      'cancels the next late task while one is ending',
      thread(0, task(1050, true), task(1001)),
      { kind: 'cancel', taskId: 1001 },
    ],
  ])('%s', (_, watched, expected) => {
    const action = judgeThread(watched, limits);
    if (expected === undefined) expect(action).toBeUndefined();
    else expect(action).toMatchObject(expected);
  });

  it('never cancels a task twice, and always acts on one past both limits', () => {
    const tasks = fc.array(
      fc.record({
        taskId: fc.nat(),
        what: fc.constant('pass' as const),
        runMs: fc.nat(3000),
        wasCancelled: fc.boolean(),
      }),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(fc.nat(1000), tasks, (beatAgeMs, given) => {
        const action = judgeThread({ name: 't1', beatAgeMs, tasks: given }, limits);
        if (action?.kind === 'cancel')
          expect(given.some((one) => one.taskId === action.taskId && !one.wasCancelled && one.runMs >= 1000)).toBe(
            true,
          );
        if (given.some((one) => one.runMs >= 1000 && !one.wasCancelled)) expect(action).toBeDefined();
        if (beatAgeMs >= 500) expect(action?.kind).toBe('replace');
      }),
    );
  });
});
