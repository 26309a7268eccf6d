import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseThread, type ThreadLimits, type ThreadLoad } from '../../../../src/engine/threads/choose-thread.ts';

const limits: ThreadLimits = { threadCountMax: 3, tasksPerThread: 2, tasksPerThreadMax: 3, coreCount: 2 };
const load = (name: string, taskCount: number, utilization = 0): ThreadLoad => ({
  name,
  group: 'sync',
  taskCount,
  utilization,
});

describe('the thread for a task', () => {
  it.each([
    ['is started when there is none', [], undefined, { kind: 'start' }],
    ['is the least busy one with room', [load('t1', 1), load('t2', 0)], undefined, { kind: 'use', name: 't2' }],
    [
      'is the one that keeps the account’s connection',
      [load('t1', 1), load('t2', 0)],
      't1',
      { kind: 'use', name: 't1' },
    ],
    ['is another one when the keeper is full', [load('t1', 3), load('t2', 0)], 't1', { kind: 'use', name: 't2' }],
    ['is one that has enough, rather than another', [load('t1', 2)], undefined, { kind: 'use', name: 't1' }],
    ['is started when all have all they can take', [load('t1', 3)], undefined, { kind: 'start' }],
    ['is started when all are busy and a core is free', [load('t1', 1, 0.95)], undefined, { kind: 'start' }],
    [
      'is a busy one when no core is free',
      [load('t1', 1, 1), load('t2', 1, 1)],
      undefined,
      { kind: 'use', name: 't1' },
    ],
    [
      'is waited for when all there may be have enough',
      [load('t1', 2), load('t2', 2), load('t3', 2)],
      undefined,
      { kind: 'wait' },
    ],
  ] as const)('%s', (_, threads, holder, expected) => {
    expect(chooseThread(threads, { group: 'sync', holder, waitingCount: 1 }, limits)).toEqual(expected);
  });

  it('is started while there is room, when more waits than there is room for: both get their share', () => {
    const task = { group: 'sync', holder: undefined } as const;
    expect(chooseThread([load('t1', 1)], { ...task, waitingCount: 3 }, limits)).toEqual({ kind: 'start' });
    expect(chooseThread([load('t1', 1)], { ...task, waitingCount: 2 }, limits)).toEqual({ kind: 'use', name: 't1' });
  });

  it('never has more tasks than it may, and never makes more threads than there may be', () => {
    const loads = fc.array(
      fc.record({ taskCount: fc.nat(3), utilization: fc.double({ min: 0, max: 1, noNaN: true }) }),
      { maxLength: 3 },
    );
    const holders = fc.option(fc.constantFrom('t1', 't2', 't9'), { nil: undefined });
    fc.assert(
      fc.property(loads, holders, fc.integer({ min: 1, max: 9 }), (given, holder, waitingCount) => {
        const threads = given.map((one, index): ThreadLoad => ({ name: `t${index + 1}`, group: 'sync', ...one }));
        const choice = chooseThread(threads, { group: 'sync', holder, waitingCount }, limits);
        const taskCount = threads.find((one) => choice.kind === 'use' && one.name === choice.name)?.taskCount;
        if (choice.kind === 'use') expect(taskCount).toBeLessThan(threads.length < 3 ? 3 : 2);
        if (choice.kind === 'start') expect(threads.length).toBeLessThan(3);
        if (choice.kind === 'wait') expect(threads.every((one) => one.taskCount >= 2)).toBe(true);
      }),
    );
  });
});
