/** One suite for every queue: what queue.ts promises. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DueAsk, Queue, QueuedTask } from '../../src/queue/queue.ts';

const now = Date.parse('2026-11-24T12:00:00Z');
const hour = 3_600_000;

const task = (acntid: number, dueMs: number, more: Partial<QueuedTask> = {}): QueuedTask => ({
  kind: 'sync',
  acntid,
  server: 'a.example.com:993',
  class: 'recent',
  dueMs,
  attempts: 0,
  fruitlessCount: 0,
  ...more,
});
const ask = (more: Partial<DueAsk> = {}): DueAsk => ({
  kinds: ['sync', 'bulk'],
  nowMs: now,
  skipServers: new Set(),
  countPerServer: 100,
  countMax: 1000,
  ...more,
});
const started = (acntid: number, lateMs = 0) => ({ kind: 'sync', acntid, class: 'recent', lateMs });

export function describeQueue(name: string, open: () => { queue: Queue; remove: () => void }): void {
  describe(name, () => {
    let queue: Queue;
    let remove: () => void;
    beforeEach(() => {
      ({ queue, remove } = open());
    });
    afterEach(async () => {
      await queue.close();
      remove();
    });
    const numbers = async (more: Partial<DueAsk> = {}): Promise<number[]> =>
      (await queue.due(ask(more))).map(({ acntid }) => acntid);

    it('hands out what is due, the oldest first, and nothing that is not', async () => {
      await queue.put([task(1, now), task(2, now + 1), task(3, now - 10), task(4, now - 5)]);
      expect(await queue.due(ask())).toEqual([task(3, now - 10), task(4, now - 5), task(1, now)]);
      expect(await numbers({ nowMs: now + 1 })).toEqual([3, 4, 1, 2]);
      expect(await numbers({ kinds: ['outbox'] })).toEqual([]);
    });

    it('keeps a task as it was put last, one of a kind for each account', async () => {
      await queue.put([task(1, now), task(1, now, { kind: 'bulk', class: 'first' })]);
      await queue.put([
        task(1, now + 9, { attempts: 2, fruitlessCount: 3, class: 'live', server: 'b.example.com:993' }),
      ]);
      expect(await queue.tasksOf(1)).toEqual([
        { ...task(1, now, { kind: 'bulk', class: 'first' }), runningSinceMs: null },
        {
          ...task(1, now + 9, { attempts: 2, fruitlessCount: 3, class: 'live', server: 'b.example.com:993' }),
          runningSinceMs: null,
        },
      ]);
      expect(await numbers({ kinds: ['sync'] })).toEqual([]);
    });

    it('does not let one server’s or class’s backlog hide another’s task', async () => {
      const backlog = Array.from({ length: 50 }, (_, index) => task(index + 1, now - 1000 + index));
      await queue.put(backlog.map((one) => ({ ...one, kind: 'bulk', class: 'first' })));
      await queue.put([...backlog, task(99, now, { server: 'b.example.com:993' }), task(98, now, { class: 'live' })]);
      const found = await numbers({ countPerServer: 2 });
      expect(found).toEqual(expect.arrayContaining([98, 99]));
      expect(found).toHaveLength(6);
      expect(await numbers({ countPerServer: 2, skipServers: new Set(['a.example.com:993']) })).toEqual([99]);
      expect(await queue.due(ask({ countMax: 7 }))).toHaveLength(7);
    });

    it('knows when the next task is due', async () => {
      const next = (skip: string[] = [], kind = 'sync') => queue.nextDueMs(new Set(skip), [kind]);
      expect(await next()).toBeNull();
      await queue.put([task(1, now + 70), task(2, now + 50, { server: 'b.example.com:993' })]);
      expect([await next(), await next(['b.example.com:993'])]).toEqual([now + 50, now + 70]);
      expect(await next([], 'bulk')).toBeNull();
      await queue.put([task(2, now + 90, { server: 'b.example.com:993' })]);
      await queue.due(ask({ nowMs: now + 60 }));
      expect(await next()).toBe(now + 70);
    });

    it('does not hand out what runs, and puts what comes next in its place at the end', async () => {
      await queue.put([task(1, now), task(2, now), task(3, now)]);
      await queue.start([started(1), started(2), { kind: 'sync', acntid: 77, class: 'recent', lateMs: 0 }], now);
      expect(await numbers()).toEqual([3]);
      expect((await queue.running()).map(({ acntid, runningSinceMs }) => [acntid, runningSinceMs])).toEqual([
        [1, now],
        [2, now],
      ]);
      await queue.end({ kind: 'sync', acntid: 1 }, [task(1, now - 7), task(1, now - 9, { kind: 'bulk' })]);
      await queue.end({ kind: 'sync', acntid: 2 }, []);
      expect(await queue.due(ask())).toEqual([task(1, now - 9, { kind: 'bulk' }), task(1, now - 7), task(3, now)]);
      expect(await queue.tasksOf(2)).toEqual([]);
    });

    it('lets a running task run on when it is put again', async () => {
      await queue.put([task(1, now)]);
      await queue.start([started(1)], now);
      await queue.put([task(1, now - 50)]);
      expect(await numbers()).toEqual([]);
      expect(await queue.tasksOf(1)).toEqual([{ ...task(1, now - 50), runningSinceMs: now }]);
    });

    it('removes tasks, running or not, and clears a kind without touching what runs', async () => {
      await queue.put([task(1, now), task(2, now), task(3, now), task(3, now, { kind: 'bulk' })]);
      await queue.start([started(1), started(2)], now);
      await queue.remove([{ kind: 'sync', acntid: 1 }]);
      await queue.clear('sync');
      expect((await queue.running()).map(({ acntid }) => acntid)).toEqual([2]);
      expect(await queue.due(ask())).toEqual([task(3, now, { kind: 'bulk' })]);
    });

    it('takes the end of a task that it does not know', async () => {
      await queue.end({ kind: 'sync', acntid: 5 }, [task(5, now)]);
      expect(await numbers()).toEqual([5]);
    });

    it('finds the accounts that failed on a server', async () => {
      await queue.put([task(1, now, { attempts: 1 }), task(2, now), task(3, now, { attempts: 2, server: 'b:1' })]);
      await queue.put([task(4, now, { attempts: 1 }), task(4, now, { attempts: 1, kind: 'bulk' })]);
      expect(await queue.failing('a.example.com:993')).toEqual([1, 4]);
    });

    it('counts by kind and class', async () => {
      await queue.put([task(1, now), task(2, now + 1), task(3, now, { kind: 'bulk', class: 'first' })]);
      await queue.start([started(1)], now);
      expect(await queue.counts(now)).toEqual([
        { kind: 'bulk', class: 'first', waiting: 1, due: 1, running: 0 },
        { kind: 'sync', class: 'recent', waiting: 1, due: 0, running: 1 },
      ]);
    });

    it('tells how late tasks started, for a day', async () => {
      const start = (lateMs: number, atMs = now) => queue.start([started(1, lateMs)], atMs);
      for (let index = 0; index < 95; index += 1) await start(0);
      for (let index = 0; index < 5; index += 1) await start(60_000);
      const [recent] = await queue.lateness(now - hour);
      expect(recent).toMatchObject({ class: 'recent', count: 100, p50Ms: 10, p95Ms: 10 });
      expect(recent?.worstMs).toBeGreaterThanOrEqual(60_000);
      expect(recent?.worstMs).toBeLessThan(60_000 * 1.2);
      expect(await queue.lateness(now + 2 * hour)).toEqual([]);
      await start(0, now + 25 * hour);
      expect(await queue.lateness(0)).toMatchObject([{ count: 1 }]);
    });

    it('may be closed twice', async () => {
      await queue.close();
      await queue.close();
    });

    it('hands out exactly what a list would, after any steps', async () => {
      const any = fc.record({
        kind: fc.constantFrom('sync', 'bulk'),
        acntid: fc.integer({ min: 1, max: 6 }),
        server: fc.constantFrom('a:1', 'b:1'),
        class: fc.constantFrom('recent', 'first'),
        dueMs: fc.integer({ min: now - 5, max: now + 5 }),
        attempts: fc.nat(2),
        fruitlessCount: fc.nat(2),
      });
      const step = fc.oneof(
        fc.record({ verb: fc.constant('put' as const), task: any }),
        fc.record({ verb: fc.constant('start' as const), task: any }),
        fc.record({ verb: fc.constant('end' as const), task: any }),
        fc.record({ verb: fc.constant('remove' as const), task: any }),
        fc.record({ verb: fc.constant('look' as const), task: any }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          await queue.remove(
            [1, 2, 3, 4, 5, 6].flatMap((acntid) => ['sync', 'bulk'].map((kind) => ({ kind, acntid }))),
          );
          const model = new Map<string, QueuedTask & { isRunning: boolean }>();
          for (const { verb, task: given } of [...steps, { verb: 'look' as const, task: task(1, now + 9) }]) {
            const key = `${given.kind} ${given.acntid}`;
            const known = model.get(key);
            if (verb === 'put') {
              await queue.put([given]);
              model.set(key, { ...given, isRunning: known?.isRunning ?? false });
            } else if (verb === 'start') {
              await queue.start([{ ...given, lateMs: 0 }], now);
              if (known) known.isRunning = true;
            } else if (verb === 'end') {
              await queue.end(given, [given]);
              model.set(key, { ...given, isRunning: false });
            } else if (verb === 'remove') {
              await queue.remove([given]);
              model.delete(key);
            } else {
              const skipServers = new Set([given.server].filter(() => given.attempts === 1));
              const found = await queue.due(ask({ nowMs: given.dueMs, skipServers }));
              const expected = [...model.values()].filter(
                (one) => !one.isRunning && one.dueMs <= given.dueMs && !skipServers.has(one.server),
              );
              const names = (list: readonly QueuedTask[]) =>
                list.map((one) => `${one.kind} ${one.acntid} ${one.dueMs}`).sort((a, b) => a.localeCompare(b));
              expect(names(found)).toEqual(names(expected));
              const waiting = [...model.values()].filter((one) => !one.isRunning).map((one) => one.dueMs);
              expect((await queue.nextDueMs(new Set())) ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(
                Math.min(...waiting),
              );
            }
          }
        }),
        { numRuns: 150 },
      );
    });
  });
}
