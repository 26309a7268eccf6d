import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../../src/base/errors.ts';
import type { PassReport, PassTask } from '../../../src/sync/pass.ts';
import { createEngine, type SimulatedEngine } from '../../simulation/engine.ts';
import { createModelStore, endPassBadly, endPassWell, type ModelAccount } from '../../simulation/model-store.ts';
import { createTimeline, type Timeline } from '../../simulation/timeline.ts';
import { createTimers, type Timers } from '../../simulation/timers.ts';
import { day, hour, makeRules, minute, noonMs, second } from './schedule-fixture.ts';

const makeAccount = (acntid: number, more: Partial<ModelAccount> = {}): ModelAccount => ({
  acntid,
  server: 'mail.example.com:993',
  userId: `u${acntid}`,
  lastSeenMs: null,
  retryMs: null,
  checkedMs: noonMs,
  failure: null,
  failureCount: 0,
  folders: [{ emfdid: 1, priority: 'high', firstMs: 0, recentMs: noonMs, fullMs: noonMs }],
  times: null,
  ...more,
});

interface Pass {
  readonly task: PassTask;
  readonly end: (report: Partial<PassReport>) => void;
}

describe('the loop', () => {
  let accounts: (ModelAccount | undefined)[];
  let time: Timeline;
  let timers: Timers;
  let engine: SimulatedEngine;
  let skewMs: number;
  /** Under way, the oldest first. */
  let passes: Pass[];
  const lines: string[] = [];
  const nowMs = (): number => noonMs + time.nowMs + skewMs;
  beforeEach(() => {
    [accounts, passes, skewMs] = [[], [], 0];
    lines.length = 0;
    time = createTimeline();
    timers = createTimers(time);
    vi.stubGlobal('setTimeout', timers.set);
    vi.stubGlobal('clearTimeout', timers.clear);
    engine = createEngine({
      accounts: () => accounts,
      nowMs,
      monotonicMs: () => time.nowMs,
      rules: () => makeRules(),
      ceilings: { slots: { send: 2, file: 2, sync: 9, read: 1 }, connectionsPerHost: 9, connectionsPerAccount: 2 },
      rests: createModelStore(() => accounts),
      runPass: (task) =>
        new Promise((resolve) => passes.push({ task, end: (report) => resolve({ ...nothing(task), ...report }) })),
      send: async () => undefined,
      log: (line) => lines.push(line),
    });
  });
  afterEach(() => {
    engine.kill();
    vi.unstubAllGlobals();
  });
  const start = async (...given: ModelAccount[]): Promise<void> => {
    accounts = given;
    await engine.start();
    await timers.settle();
  };
  /** Lets time go by, with all that happens meanwhile. */
  const pass = async (ms: number): Promise<void> => {
    for (const untilMs = time.nowMs + ms; time.nowMs < untilMs; ) {
      await time.advanceTo(Math.min(untilMs, time.nextMs()));
      await timers.settle();
    }
  };
  const change = async (acntid: number, more: Partial<ModelAccount> | undefined): Promise<void> => {
    const account = accounts[acntid - 1];
    if (more && account) Object.assign(account, more, { times: null });
    else accounts[acntid - 1] = undefined;
  };
  const refresh = async (...acntids: number[]): Promise<void> => {
    await engine.refresh(acntids);
    await timers.settle();
  };
  /** The oldest pass ends: well, or with this error. */
  const end = async (code?: ErrorCode, report: Partial<PassReport> = {}): Promise<void> => {
    const { task, end: resolve } = passes.shift() ?? fail();
    const account = accounts[task.acntid - 1] ?? fail();
    const error = code ? ({ code, scope: 'account', remedy: 'retry', detail: 'x' } as const) : null;
    if (error) endPassBadly(account, error, nowMs());
    else endPassWell(account, task.scope, 0, nowMs());
    resolve({ error, ...report });
    await timers.settle();
  };
  const running = (): number[] => passes.map(({ task }) => task.acntid);

  it('starts what comes due, once, and again an interval after its end', async () => {
    await start(makeAccount(1));
    await pass(30 * minute - second);
    expect(running()).toEqual([]);
    await pass(second);
    expect(passes.map(({ task }) => task)).toMatchObject([
      { acntid: 1, sliceMs: null, scope: { recent: [1], leavesFirst: true } },
    ]);
    await pass(5 * minute);
    expect(running()).toEqual([1]);
    await end();
    await pass(30 * minute - second);
    expect(running()).toEqual([]);
    await pass(second);
    expect(running()).toEqual([1]);
  });

  it('hears no more of a pass that ends after the grace of a stop, when the queue is closed', async () => {
    await start(makeAccount(1));
    await pass(30 * minute);
    const stopping = engine.dispatcher.stop(second);
    await time.advanceTo(time.nowMs + second);
    await stopping;
    await engine.queue().close();
    await expect(end()).rejects.toThrow('never came to rest'); // nothing is waited for any more
    expect(lines).toEqual([]);
  });

  it('starts an account whose user has come at once, and leaves it when he has gone before its turn', async () => {
    await start(makeAccount(1));
    await change(1, { lastSeenMs: nowMs() + 2 * minute });
    await refresh(1);
    await change(1, { lastSeenMs: null });
    await pass(20 * minute);
    expect(running()).toEqual([]);
    await change(1, { lastSeenMs: nowMs() });
    await refresh(1);
    expect(running()).toEqual([1]);
  });

  it('forgets an account that is gone, be it found when it is told of or at its turn', async () => {
    await start(makeAccount(1), makeAccount(2));
    await change(1, undefined);
    await refresh(1);
    expect(await engine.queue().tasksOf(1)).toEqual([]);
    await change(2, undefined);
    await pass(hour);
    expect([running(), await engine.queue().tasksOf(2)]).toEqual([[], []]);
  });

  it('asks less and less often for what passes do not change, and keeps the account’s intervals', async () => {
    const stuck = { emfdid: 9, priority: 'low' as const, firstMs: 1, recentMs: null, fullMs: null };
    await start(makeAccount(1, { folders: [...makeAccount(1).folders, stuck] }));
    const [bulkMs, promptMs]: number[][] = [[], []];
    for (let seconds = 0; seconds < 3 * 3600; seconds += 1) {
      await pass(second);
      if (passes.length === 0) continue;
      const { scope } = passes[0]?.task ?? fail();
      const emfdids = scope.kind === 'schedule' ? [...scope.recent, ...scope.full] : [];
      if (emfdids.includes(1)) promptMs?.push(nowMs());
      if (emfdids.includes(9)) bulkMs?.push(nowMs());
      await end();
    }
    const gaps = (bulkMs ?? []).slice(1).map((ms, index) => Math.round((ms - (bulkMs?.[index] ?? 0)) / second));
    expect(gaps.slice(0, 5)).toEqual([30, 60, 120, 240, 480]);
    expect(Math.max(...gaps.slice(5))).toBeLessThanOrEqual(901);
    const waits = (promptMs ?? []).slice(1).map((ms, index) => ms - (promptMs?.[index] ?? 0));
    expect(Math.max(...waits)).toBeLessThanOrEqual(30 * minute + 2 * second);
  }, 60_000);

  it('lets a first sync go on after its slice, behind the others', async () => {
    const first = { emfdid: 9, priority: 'low' as const, firstMs: 2 * minute, recentMs: null, fullMs: null };
    await start(makeAccount(1, { folders: [first], checkedMs: null }));
    await pass(second);
    expect(passes.map(({ task }) => task)).toMatchObject([{ sliceMs: minute, connections: 2, scope: { recent: [9] } }]);
    await pass(minute);
    await end(undefined, { isUnfinished: true });
    expect(running()).toEqual([1]);
    await end(undefined, { isUnfinished: true });
    expect(await engine.queue().running()).toMatchObject([{ kind: 'bulk', fruitlessCount: 0 }]);
  });

  it('never lets a waiting first sync delay what is urgent in the same account', async () => {
    const first = { emfdid: 9, priority: 'low' as const, firstMs: 2 * hour, recentMs: null, fullMs: null };
    const importing = (acntid: number): ModelAccount =>
      makeAccount(acntid, { folders: [...makeAccount(acntid).folders, first] });
    await start(...Array.from({ length: 20 }, (_, index) => importing(index + 1)));
    await pass(29 * minute);
    expect(passes.every(({ task }) => task.sliceMs !== null)).toBe(true);
    const waiting =
      [...Array(20).keys()].map((index) => index + 1).find((acntid) => !running().includes(acntid)) ?? fail();
    await change(waiting, { lastSeenMs: nowMs() });
    await refresh(waiting);
    expect(passes.map(({ task }) => task)).toContainEqual(expect.objectContaining({ acntid: waiting, sliceMs: null }));
  });

  it('lets a dead server rest, tries it with one pass, and wakes all when it answers', async () => {
    await start(
      ...[1, 2, 3, 4, 5].map((acntid) => makeAccount(acntid)),
      makeAccount(6, { server: 'other.example.com:993' }),
    );
    await pass(30 * minute);
    expect(running()).toHaveLength(6);
    for (let left = 6; left > 0; left -= 1) await end(passes[0]?.task.acntid === 6 ? undefined : 'connection_refused');
    expect(engine.servers.allowedOn('mail.example.com:993', nowMs())).toBe(0);
    await pass(29 * second);
    expect(running()).toEqual([]);
    await pass(10 * minute);
    expect(running()).toHaveLength(1);
    await end();
    expect(lines).toContain('mail.example.com:993 answers again');
    expect(running()).toHaveLength(4);
  });

  it('obeys after a kill what a server asked for before', async () => {
    await start(...[1, 2, 3].map((acntid) => makeAccount(acntid)));
    await pass(30 * minute);
    for (let left = 3; left > 0; left -= 1) await end('timeout');
    await engine.servers.load();
    expect(engine.servers.allowedOn('mail.example.com:993', nowMs())).toBe(0);
    await pass(3 * minute);
    expect(running()).toHaveLength(1);
  });

  it('does not start twice what runs while its queue is lost', async () => {
    await start(makeAccount(1), makeAccount(2));
    await pass(31 * minute);
    await engine.loseQueue();
    await pass(5 * minute);
    expect(running()).toEqual([1, 2]);
    await end();
    await end();
    await pass(30 * minute - second);
    expect(running()).toEqual([]);
    await pass(2 * second);
    expect(running()).toEqual([1, 2]);
  });

  it('works everything out again when the clock jumps, forward and back', async () => {
    await start(makeAccount(1));
    skewMs += day;
    await pass(15 * second);
    expect(running()).toEqual([1]);
    await end();
    skewMs -= 2 * day;
    await pass(15 * second);
    expect(running()).toEqual([1]);
  });

  it('lets one busy host delay nobody on another', async () => {
    const busy = Array.from({ length: 30 }, (_, index) =>
      makeAccount(index + 1, { checkedMs: noonMs - hour, folders: overdue }),
    );
    await start(...busy, makeAccount(31, { server: 'other.example.com:993' }));
    await pass(10 * minute);
    expect(running()).toHaveLength(9);
    await pass(20 * minute - second);
    expect(running()).not.toContain(31);
    for (let left = 2; left > 0; left -= 1) await end();
    await pass(2 * second);
    expect(running()).toContain(31);
  });
});

const overdue = [
  { emfdid: 1, priority: 'high' as const, firstMs: 0, recentMs: noonMs - 2 * hour, fullMs: noonMs - 2 * hour },
];

const nothing = ({ acntid }: PassTask): PassReport => ({
  acntid,
  folders: [],
  unchangedCount: 0,
  error: null,
  isUnfinished: false,
  isKept: false,
});

function fail(): never {
  throw new Error('there is none');
}
