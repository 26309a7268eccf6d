/**
 * The engine's life between opening and draining, put together: the queue is filled from the store, the dispatcher gives what is
 * due to threads, and what applications write is noticed. The main thread waits here for nothing but the store's and the queue's
 * answers, which take milliseconds.
 */
import { type Clock, systemClock, toInstant } from '../base/clock.ts';
import { asEngineError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import { readerVersion } from '../mime/reader-version.ts';
import { openQueue } from '../queue/open-queue.ts';
import type { Queue } from '../queue/queue.ts';
import type { Progress } from '../sync/pass.ts';
import { rulesOf } from './due.ts';
import type { Engine } from './engine.ts';
import { createDispatcher, type KindOfWork } from './loop/dispatcher.ts';
import { createKept, type KeptConnections } from './loop/kept.ts';
import { createNews } from './loop/news.ts';
import { createOutboxKinds } from './loop/outbox-kinds.ts';
import { createPassKind } from './loop/pass-kind.ts';
import { createPlanner } from './loop/planner.ts';
import { createReadKind } from './loop/read-kind.ts';
import { createServers, type Servers } from './loop/servers.ts';
import { createWishes, type Wish } from './loop/wishes.ts';
import type { Ceilings, Running } from './pick/situation.ts';
import { dailySpreadMs } from './schedule/daily-window.ts';
import { urgentTasks } from './schedule/next-tasks.ts';
import { isPresent } from './schedule/presence.ts';

export interface LoopOptions {
  readonly engine: Engine;
  readonly clock?: Clock;
}

export interface Loop {
  start(): Promise<void>;
  /** A pass that somebody asked for; progress and outcome go to the wish. */
  request(acntid: number, wish: Wish): Promise<void>;
  /** The server told of a change in the account's watched INBOX. */
  stir(acntid: number): void;
  /** The connection kept for the account is gone. */
  lost(acntid: number): void;
  progress(progress: Progress): void;
  /** The configuration is another one. */
  reconfigure(): Promise<void>;
  /** Once a minute: connections that nobody needs any more are given up. */
  tidy(): Promise<void>;
  readonly queue: Queue;
  readonly servers: Servers;
  readonly kept: KeptConnections;
  readonly running: readonly Running[];
  readonly accountCount: number;
  /** Starts nothing any more; passes are cut, what is being sent ends by itself within `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

export function createLoop({ engine, clock = systemClock }: LoopOptions): Loop {
  const { store, threads, log } = engine;
  const config = (): Config => engine.config;
  const nowMs = (): number => clock().getTime();
  let rules = rulesOf(config());
  let isStopping = false;

  const queue = openQueue({
    folder: config().BACKPROC_DATA_LOCATION,
    nodeId: config().BACKPROC_NODE_ID,
    isOurs: () => engine.holdsLock(),
    onProblem: (text) => log.warn(text),
    onLost: () => isStopping || inBackground('filling the queue again', fill()),
  });
  const servers = createServers(store);
  const wishes = createWishes();
  const kept = createKept({ config, rules: () => rules, release: (acntid) => threads.release(acntid) });
  const planner = createPlanner({
    store,
    queue,
    servers,
    rules: () => rules,
    isWanted: (acntid) => wishes.has(acntid),
    clock,
  });
  const passKind = createPassKind({
    store,
    threads,
    planner,
    servers,
    wishes,
    kept,
    rules: () => rules,
    connectionsPerAccount: () => config().BG_MAX_CONNECTIONS_PER_ACCOUNT,
    onReceived: () => inBackground('looking for mail to read', lookForUnread()),
    isStopping: () => isStopping,
    clock,
    log,
  });
  const hasUnread = async (): Promise<boolean> =>
    config().EMAIL_READING_ENABLED && (await store.hasUnread(readerVersion));
  const readKind = createReadKind({ queue, threads, hasUnread, clock, log });
  const outbox = createOutboxKinds({
    store,
    queue,
    threads,
    isEnabled: () => config().EMAIL_OUTBOX_ENABLED,
    connectionsPerAccount: () => config().EMAIL_OUTBOX_MAX_CONNECTIONS_PER_ACCOUNT,
    onDue: () => dispatcher.wake(),
    clock,
    log,
  });
  const kinds: ReadonlyMap<string, KindOfWork> = new Map([
    ['sync', passKind],
    ['bulk', passKind],
    ['outbox', outbox.send],
    ['file', outbox.file],
    ['read', readKind],
  ]);
  const dispatcher = createDispatcher({
    queue,
    servers,
    kinds: () => kinds,
    kept: () => kept.list,
    ceilings: () => ceilingsOf(config()),
    async onJump() {
      log.warn('the clock was set, or the machine slept: all due times are worked out again');
      await fill();
    },
    clock,
    log,
  });

  const lookForUnread = async (): Promise<void> => {
    if (await readKind.look()) dispatcher.wake();
  };
  /** Nobody waits for it; a store that fails is told in the log, and by whoever asks next. What an end cuts short is no failure. */
  const inBackground = (what: string, work: Promise<void>): void => {
    work.catch((error: unknown) => isStopping || log.error(`${what}: ${asEngineError(error).message}`));
  };
  const letGo = (acntid: number): void => {
    kept.drop(acntid);
    threads.release(acntid);
  };
  const replan = async (acntids: readonly number[]): Promise<void> => {
    await planner.replan(acntids);
    dispatcher.wake();
  };
  /** INBOX at once, whatever the intervals say, unless the account is held back. */
  const wishInbox = async (acntid: number): Promise<void> => {
    const account = await planner.account(acntid);
    if (!account?.enabled || account.state !== 'ok' || !rules.isSyncEnabled || account.folders.length === 0) return;
    wishes.stir(acntid);
    await queue.put(urgentTasks(account, [], nowMs()));
    dispatcher.wake();
  };
  const news = createNews({
    store,
    clock,
    log,
    presenceSeconds: () => rules.presenceSeconds,
    async onChanged(acntids) {
      for (const acntid of acntids) letGo(acntid);
      await replan(acntids);
    },
    /** They look now: their INBOX is synced at once, and watched from then on. */
    async onArrived(acntids) {
      await replan(acntids);
      if (config().EMAIL_IDLE_ENABLED) for (const acntid of acntids) await wishInbox(acntid);
    },
    onCommit: () => outbox.look(),
  });
  const fill = async (): Promise<void> => {
    rules = rulesOf(config(), dailySpreadMs(await store.accountCount()));
    await planner.fill();
    // A clock that was wrong once must not have mail wait for years.
    await store.clampWaits(toInstant(clock()), rules.authRetrySeconds * 1000);
    await readKind.look();
    await outbox.look();
    dispatcher.wake();
  };

  return {
    queue,
    servers,
    kept,
    get running() {
      return dispatcher.running;
    },
    get accountCount() {
      return planner.accountCount;
    },
    async start() {
      await servers.load();
      await store.takeNewPasswords();
      // What these say is in the store, which is read whole now.
      await store.takeChangedAccounts();
      await fill();
      await news.begin();
    },
    async request(acntid, wish) {
      const account = await planner.account(acntid);
      wishes.add(acntid, wish);
      if (!account) return wishes.fail(acntid);
      await queue.put(urgentTasks(account, [], nowMs()));
      dispatcher.wake();
    },
    stir: (acntid) => inBackground('asking for INBOX', wishInbox(acntid)),
    lost: (acntid) => kept.drop(acntid),
    progress: (progress) => wishes.progress(progress),
    reconfigure: fill,
    async tidy() {
      await lookForUnread();
      for (const acntid of kept.outdated(nowMs())) letGo(acntid);
      for (const acntid of kept.watched()) {
        const account = await planner.account(acntid);
        if (!account || !isPresent(account, rules.presenceSeconds, nowMs())) letGo(acntid);
      }
    },
    async drain(graceMs) {
      isStopping = true;
      await news.stop();
      threads.cancelAll('pass');
      threads.cancelAll('read');
      threads.cancelAll('file');
      threads.cancelAll('send');
      outbox.stop();
      await dispatcher.stop(graceMs);
      await queue.close();
    },
  };
}

const ceilingsOf = (config: Config): Ceilings => {
  const slots = config.BG_MAX_THREADS * Math.min(config.BG_THREAD_CONCURRENCY, config.BG_MAX_TASKS_PER_THREAD);
  return {
    slots: { sync: slots, send: slots, file: slots, read: 1 },
    connectionsPerHost: config.BG_MAX_CONNECTIONS_PER_HOST,
    connectionsPerAccount: config.BG_MAX_CONNECTIONS_PER_ACCOUNT,
  };
};
