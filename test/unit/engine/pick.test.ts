import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Candidate, Ceilings, Kept, Running, Situation, Start } from '../../../src/engine/pick/situation.ts';
import { createUsage, reserveOf, type Usage } from '../../../src/engine/pick/usage.ts';
import { keptCountMax, pick } from '../../../src/engine/pick.ts';
import { type TaskClass, taskClasses } from '../../../src/engine/schedule/task-class.ts';
import { minute, noonMs, second } from './schedule-fixture.ts';

const ceilings: Ceilings = {
  slots: { send: 4, file: 4, sync: 8, read: 2 },
  connectionsPerHost: 6,
  connectionsPerAccount: 3,
};
const due = (acntid: number, more: Partial<Candidate> = {}): Candidate => ({
  class: 'recent',
  acntid,
  server: 'mail.example.com:993',
  dueMs: noonMs,
  connectionCountMax: 1,
  ...more,
});
const running = (acntid: number, more: Partial<Running> = {}): Running => ({
  class: 'recent',
  acntid,
  server: 'mail.example.com:993',
  connections: 1,
  startedMs: noonMs,
  ...more,
});
/** And what is due in it. */
interface Given extends Situation {
  readonly due: readonly Candidate[];
}
const situation = (more: Partial<Given>): Given => ({
  due: [],
  running: [],
  kept: [],
  ceilings,
  allowedOn: () => Number.POSITIVE_INFINITY,
  nowMs: noonMs,
  ...more,
});
const pickOf = (given: Given): Start[] => pick(createUsage(given), given.due);
const startsOf = (more: Partial<Given>): Start[] => pickOf(situation(more));
const numbersOf = (starts: readonly Start[]): number[] => starts.map(({ task }) => task.acntid);
const range = (count: number, first = 1): number[] => Array.from({ length: count }, (_, index) => first + index);

describe('who goes first', () => {
  it('is the one that has been due for longest', () => {
    const tasks = [3, 1, 2].map((acntid) => due(acntid, { dueMs: noonMs - acntid * second }));
    expect(numbersOf(startsOf({ due: tasks, ceilings: { ...ceilings, connectionsPerHost: 2 } }))).toEqual([3, 2]);
  });

  it('is a user who looks, before what came due up to half a minute earlier', () => {
    const live = due(9, { class: 'live' });
    const one = { ...ceilings, slots: { ...ceilings.slots, sync: 1 } };
    const first = (earlierMs: number) =>
      numbersOf(startsOf({ due: [due(1, { dueMs: noonMs - earlierMs }), live], ceilings: one }));
    expect([first(29 * second), first(31 * second)]).toEqual([[9], [1]]);
  });

  it('is the host that has less running, when slots are short', () => {
    const crowd = range(20).map((acntid) =>
      due(acntid, { server: 'big.example.com:993', dueMs: noonMs - 10 * second }),
    );
    const lone = due(99, { server: 'small.example.com:993' });
    const starts = numbersOf(
      startsOf({ due: [...crowd, lone], ceilings: { ...ceilings, slots: { ...ceilings.slots, sync: 4 } } }),
    );
    expect(starts).toHaveLength(4);
    expect(starts).toContain(99);
  });
});

describe('who does not start', () => {
  it('an account that has a task of the pool running, be it of the other lane', () => {
    const tasks = [due(1, { class: 'first' }), due(2)];
    expect(numbersOf(startsOf({ due: tasks, running: [running(1)] }))).toEqual([2]);
    expect(numbersOf(startsOf({ due: [due(1), due(1, { class: 'first' })] }))).toEqual([1]);
    const sending = running(1, { class: 'outbox', server: 'smtp.example.com:465' });
    expect(numbersOf(startsOf({ due: [due(1)], running: [sending] }))).toEqual([1]);
  });

  it('on a server that rests, more than the one that tries it', () => {
    const tasks = [due(1, { server: 'down.example.com:993' }), due(2, { server: 'down.example.com:993' }), due(3)];
    const allowedOn = (count: number) => (server: string) =>
      server.startsWith('down') ? count : Number.POSITIVE_INFINITY;
    expect(numbersOf(startsOf({ due: tasks, allowedOn: allowedOn(0) }))).toEqual([3]);
    expect(numbersOf(startsOf({ due: tasks, allowedOn: allowedOn(1) })).sort((a, b) => a - b)).toEqual([1, 3]);
  });
});

describe('outbox and reading', () => {
  it('never wait for sync, however much of it runs', () => {
    const busy = range(8, 100).map((acntid) => running(acntid, { class: 'first' }));
    const tasks = [due(1, { class: 'outbox' }), due(2, { class: 'reading', server: null }), due(3)];
    expect(numbersOf(startsOf({ due: tasks, running: busy })).sort((a, b) => a - b)).toEqual([1, 2]);
  });
});

describe('patient tasks', () => {
  it('leave a quarter of slots and of the host’s connections to the others', () => {
    const imports = range(50).map((acntid) =>
      due(acntid, { class: 'first', connectionCountMax: 9, dueMs: noonMs - minute }),
    );
    const starts = startsOf({ due: imports });
    expect(starts.reduce((sum, { connections }) => sum + connections, 0)).toBe(6 - reserveOf(6));
    expect(starts[0]?.sliceMs).toBe(minute);
    const later = startsOf({
      due: [due(99)],
      running: starts.map(({ task, connections }) => running(task.acntid, { class: 'first', connections })),
    });
    expect(numbersOf(later)).toEqual([99]);
  });

  it('are also those on a host where passes are stuck, so that slow hosts do not hold all slots', () => {
    const stuck = range(5).map((acntid) =>
      running(acntid, { server: `slow${acntid}.example.com:993`, startedMs: noonMs - 3 * minute }),
    );
    const onSlow = range(5).map((number) =>
      due(10 + number, { server: `slow${number}.example.com:993`, dueMs: noonMs - minute }),
    );
    const starts = startsOf({ due: [...onSlow, due(99)], running: stuck });
    expect(numbersOf(starts).filter((acntid) => acntid < 99)).toHaveLength(1);
    expect(numbersOf(starts)).toContain(99);
  });

  it('that overran their slice take nothing from what is prompt on their host', () => {
    const overrun = range(4).map((acntid) => running(acntid, { class: 'first', startedMs: noonMs - 10 * minute }));
    expect(numbersOf(startsOf({ due: [due(98), due(99)], running: overrun }))).toEqual([98, 99]);
  });

  it('still get their turn where there is room for one task only', () => {
    const tiny: Ceilings = {
      slots: { send: 1, file: 1, sync: 1, read: 1 },
      connectionsPerHost: 1,
      connectionsPerAccount: 1,
    };
    expect(numbersOf(startsOf({ due: [due(1, { class: 'first' })], ceilings: tiny }))).toEqual([1]);
  });
});

describe('connections', () => {
  it('come one for each before a second for any, then in turns as far as they are of use', () => {
    const tasks = [due(1, { connectionCountMax: 2 }), due(2, { connectionCountMax: 20 })];
    const roomy = { ...ceilings, connectionsPerHost: 10 };
    expect(startsOf({ due: tasks, ceilings: roomy }).map(({ connections }) => connections)).toEqual([2, 3]);
    const many = range(6).map((acntid) => due(acntid, { connectionCountMax: 20 }));
    expect(startsOf({ due: many }).map(({ connections }) => connections)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('kept for IDLE count, and are used by a pass of their account', () => {
    const kept = range(6).map((acntid) => ({ acntid, server: 'mail.example.com:993' }));
    expect(numbersOf(startsOf({ due: [due(99), due(3)], kept }))).toEqual([3]);
    expect([1, 2, 20].map(keptCountMax)).toEqual([0, 1, 10]);
  });

  it('are counted by host, whatever the port', () => {
    const tasks = range(9).map((acntid) => due(acntid, { server: `mail.example.com:${acntid}` }));
    expect(startsOf({ due: tasks })).toHaveLength(6);
  });
});

const classes = fc.constantFrom(...(Object.keys(taskClasses) as TaskClass[]));
const serverOf = (acntid: number): string =>
  ['a.example.com:993', 'a.example.com:143', 'b.example.com:993'][acntid % 3] ?? '';
const candidate: fc.Arbitrary<Candidate> = fc
  .record({
    class: classes,
    acntid: fc.integer({ min: 1, max: 30 }),
    dueMs: fc.integer({ min: noonMs - 20 * minute, max: noonMs }),
    connectionCountMax: fc.integer({ min: 1, max: 5 }),
  })
  .map((task) => ({ ...task, server: serverOf(task.acntid) }));
const anyCeilings: fc.Arbitrary<Ceilings> = fc.record({
  slots: fc.record({ send: fc.nat(4), file: fc.nat(4), sync: fc.nat(12), read: fc.nat(4) }),
  connectionsPerHost: fc.integer({ min: 1, max: 8 }),
  connectionsPerAccount: fc.integer({ min: 1, max: 4 }),
});
const keptAccounts = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 8 });
const hostOf = (task: { readonly class: TaskClass; readonly server: string | null }): string =>
  `${taskClasses[task.class].pool}/${task.server?.split(':')[0]}`;

/** As many as IDLE may hold. */
function keptWithin(limits: Ceilings, acntids: readonly number[]): Kept[] {
  const kept = acntids.map((acntid) => ({ acntid, server: serverOf(acntid) }));
  const hostOfKept = ({ server }: Kept): string => server.split(':')[0] ?? '';
  return kept.filter(
    (one, index) =>
      kept.slice(0, index).filter((other) => hostOfKept(other) === hostOfKept(one)).length <
      keptCountMax(limits.connectionsPerHost),
  );
}

function afterStarts(given: Given, starts: readonly Start[]): Given {
  const started = starts.map(({ task, connections }) => running(task.acntid, { ...task, connections }));
  const isUsed = ({ acntid }: Kept): boolean =>
    started.some((task) => task.acntid === acntid && taskClasses[task.class].pool === 'sync');
  return { ...given, running: [...given.running, ...started], kept: given.kept.filter((one) => !isUsed(one)) };
}

/** Everything that runs after the starts, checked against every ceiling. */
function expectWithinCeilings(given: Given, starts: readonly Start[]): void {
  const after = afterStarts(given, starts);
  for (const pool of ['send', 'sync', 'read'] as const)
    expect(after.running.filter((task) => taskClasses[task.class].pool === pool).length).toBeLessThanOrEqual(
      given.ceilings.slots[pool],
    );
  const watching = after.kept.map(({ acntid, server }) => running(acntid, { class: 'live', server }));
  const open = [...after.running, ...watching];
  for (const host of new Set(open.map(hostOf))) {
    const used = open.filter((task) => hostOf(task) === host).reduce((sum, { connections }) => sum + connections, 0);
    expect(used).toBeLessThanOrEqual(given.ceilings.connectionsPerHost);
  }
  for (const { connections } of starts) expect(connections).toBeLessThanOrEqual(given.ceilings.connectionsPerAccount);
  const accounts = after.running.map((task) => `${taskClasses[task.class].pool} ${task.acntid}`);
  expect(new Set(accounts).size).toBe(accounts.length);
}

describe('whatever is due', () => {
  it('no ceiling is passed, no account has two tasks of a pool, and nobody is left out while there is room', () => {
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 40 }), anyCeilings, keptAccounts, (tasks, limits, watched) => {
        const kept = keptWithin(limits, watched);
        const earlier = situation({ due: tasks.slice(0, 15), ceilings: limits, kept });
        const first = pickOf(earlier);
        const given = { ...afterStarts(earlier, first), due: tasks.slice(15) };
        const starts = pickOf(given);
        expectWithinCeilings(earlier, first);
        expectWithinCeilings(given, starts);
        expect(pickOf(afterStarts(given, starts))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('what starts is counted as what runs', () => {
    const names = Object.keys(taskClasses) as TaskClass[];
    const roomIn = (usage: Usage): unknown[] => names.map((name) => usage.roomFor(name));
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 40 }), anyCeilings, keptAccounts, (tasks, limits, watched) => {
        const given = situation({ due: tasks, ceilings: limits, kept: keptWithin(limits, watched) });
        const usage = createUsage(given);
        const starts = pick(usage, given.due);
        expect(roomIn(usage)).toEqual(roomIn(createUsage(afterStarts(given, starts))));
      }),
      { numRuns: 300 },
    );
  });

  it('everyone gets a turn: under any overload each task starts before those that came due much later', () => {
    fc.assert(
      fc.property(
        fc.array(candidate, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        (tasks, slots) => {
          const limits: Ceilings = {
            slots: { send: 1, file: 1, sync: slots, read: 1 },
            connectionsPerHost: 2,
            connectionsPerAccount: 1,
          };
          const unique = tasks.map((task, index) => ({ ...task, acntid: index + 1 }));
          const waiting = new Set<Candidate>(unique);
          let started = 0;
          // A stream of fresh recent passes competes for every slot, for longer than any class may wait.
          for (let round = 0; round < 400 && waiting.size > 0; round += 1) {
            const nowMs = noonMs + round * 10 * second;
            const fresh = range(4, 1000 + round * 4).map((acntid) =>
              due(acntid, { dueMs: nowMs, server: 'a.example.com:993' }),
            );
            for (const { task } of pickOf(situation({ due: [...waiting, ...fresh], ceilings: limits, nowMs })))
              if (waiting.delete(task)) started += 1;
          }
          expect(started).toBe(unique.length);
        },
      ),
      { numRuns: 50 },
    );
  });
});
