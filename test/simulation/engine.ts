/**
 * The engine's own loop on simulated time: dispatcher, planner, passes as a kind of work, on the real schedule, pick and SQLite
 * queue. Only threads, store and timers are the simulation's.
 */
import type { Log } from '../../src/base/log.ts';
import { createDispatcher, type Dispatcher, type KindOfWork } from '../../src/engine/loop/dispatcher.ts';
import type { KeptConnections } from '../../src/engine/loop/kept.ts';
import { createPassKind } from '../../src/engine/loop/pass-kind.ts';
import { createPlanner, type Planner } from '../../src/engine/loop/planner.ts';
import { createServers, type Servers } from '../../src/engine/loop/servers.ts';
import { createWishes } from '../../src/engine/loop/wishes.ts';
import type { Ceilings, Start } from '../../src/engine/pick/situation.ts';
import type { Rules } from '../../src/engine/schedule/account.ts';
import { dailySpreadMs } from '../../src/engine/schedule/daily-window.ts';
import type { Queue, QueuedTask } from '../../src/queue/queue.ts';
import { inMemory, openJobFile } from '../../src/queue/sqlite/job-file.ts';
import { createSqliteQueue } from '../../src/queue/sqlite/sqlite-queue.ts';
import type { Store } from '../../src/store/store.ts';
import type { PassReport, PassTask } from '../../src/sync/pass.ts';
import type { createModelStore, ModelAccount } from './model-store.ts';

export interface EngineOptions {
  readonly accounts: () => readonly (ModelAccount | undefined)[];
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  readonly rules: (dailySpreadMs: number) => Rules;
  readonly ceilings: Ceilings;
  readonly runPass: (task: PassTask) => Promise<PassReport>;
  readonly send: (task: QueuedTask, start: Pick<Start, 'connections'>) => Promise<void>;
  /** Rests of servers, which outlive engines. */
  readonly rests: ReturnType<typeof createModelStore>;
  readonly log?: (line: string) => void;
}

export interface SimulatedEngine {
  readonly planner: Planner;
  readonly servers: Servers;
  readonly dispatcher: Dispatcher;
  readonly queue: () => Queue;
  start(): Promise<void>;
  offer(task: QueuedTask): Promise<void>;
  refresh(acntids: readonly number[]): Promise<void>;
  /** The queue is empty of a sudden, as after a failed job database. */
  loseQueue(): Promise<void>;
  /** As by kill -9: nothing that runs is heard of again. */
  kill(): void;
}

const nothingKept: KeptConnections = {
  list: [],
  wish: () => 'no',
  couldWatch: () => false,
  note: () => undefined,
  drop: () => undefined,
  watched: () => [],
  outdated: () => [],
};

export function createEngine(options: EngineOptions): SimulatedEngine {
  const { nowMs, monotonicMs, rests } = options;
  const clock = (): Date => new Date(nowMs());
  const log = logTo(options.log);
  let inner = createSqliteQueue(openJobFile(inMemory));
  const queue = new Proxy({} as Queue, { get: (_, verb: keyof Queue) => inner[verb] });
  let rules = options.rules(0);
  const servers = createServers(rests);
  const wishes = createWishes();
  const planner = createPlanner({
    store: rests,
    queue,
    servers,
    rules: () => rules,
    isWanted: (acntid) => wishes.has(acntid),
    clock,
  });
  const fill = async (): Promise<void> => {
    rules = options.rules(dailySpreadMs(options.accounts().length));
    await planner.fill();
    dispatcher.wake();
  };
  const passes = createPassKind({
    store: unusedStore,
    threads: { run: async (_, task) => ({ report: (await options.runPass(task as PassTask)) as never }) },
    planner,
    servers,
    wishes,
    kept: nothingKept,
    rules: () => rules,
    connectionsPerAccount: () => options.ceilings.connectionsPerAccount,
    onReceived: () => undefined,
    isStopping: () => false,
    clock,
    log,
  });
  const sending: KindOfWork = {
    connectionCountMax: () => 1,
    begin: () => undefined,
    async run(task, start) {
      await options.send(task, start);
      return [];
    },
  };
  const kinds = new Map([
    ['outbox', sending],
    ['sync', passes],
    ['bulk', passes],
  ] as const);
  const dispatcher: Dispatcher = createDispatcher({
    queue,
    servers,
    kinds: () => kinds,
    kept: () => [],
    ceilings: () => options.ceilings,
    onJump: fill,
    monotonicMs,
    clock,
    log,
  });
  return {
    planner,
    servers,
    dispatcher,
    queue: () => inner,
    async start() {
      await servers.load();
      await fill();
    },
    async offer(task) {
      await queue.put([task]);
      dispatcher.wake();
    },
    async refresh(acntids) {
      await planner.replan(acntids);
      dispatcher.wake();
    },
    async loseQueue() {
      await inner.close();
      inner = createSqliteQueue(openJobFile(inMemory));
      await fill();
    },
    kill() {
      void dispatcher.stop(0);
      inner = createSqliteQueue(openJobFile(inMemory));
    },
  };
}

/** Passes record what happened to their account themselves; only a lost thread would ask for these. */
const unusedStore: Pick<Store, 'account' | 'recordHealth'> = {
  account: async () => undefined,
  recordHealth: async () => undefined,
};

const ignore = (): void => undefined;
const logTo = (tell: (line: string) => void = ignore): Log =>
  new Proxy({} as Log, { get: () => (line: string) => tell(line) });
