/**
 * The engine's life between opening and draining: what is due is picked from the queue and given to threads; what ends goes back
 * into the queue with its next time; what applications write is noticed. The main thread waits here for nothing but the store's
 * and the queue's answers, which take milliseconds.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import { asEngineError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import { openQueue } from '../queue/open-queue.ts';
import type { Queue, QueuedTask } from '../queue/queue.ts';
import type { Progress } from '../sync/pass.ts';
import { rulesOf } from './due.ts';
import type { Engine } from './engine.ts';
import { createKept, type KeptConnections } from './loop/kept.ts';
import { createNews } from './loop/news.ts';
import { createPassRunner, type PassEnd, urgent } from './loop/pass-runner.ts';
import { createPlanner, syncKinds } from './loop/planner.ts';
import { createServers, type Servers } from './loop/servers.ts';
import { createTurns } from './loop/turns.ts';
import { createWishes, type Wish } from './loop/wishes.ts';
import type { Candidate, Ceilings, Running } from './pick/situation.ts';
import { pick } from './pick.ts';
import type { Rules } from './schedule/account.ts';
import { dailySpreadMs } from './schedule/daily-window.ts';
import { isPresent } from './schedule/presence.ts';
import { isTaskClass } from './schedule/task-class.ts';

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
  /** Once a minute: what nobody needs any more is given up. */
  tidy(): Promise<void>;
  readonly queue: Queue;
  readonly servers: Servers;
  readonly kept: KeptConnections;
  readonly running: readonly Running[];
  readonly accountCount: number;
  /** Starts nothing any more; passes are cut, what is being sent ends by itself within `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

interface SyncCandidate extends Candidate {
  readonly task: QueuedTask;
}

/** So many of each kind, class and server are looked at in a turn: more could not start anyway. */
const countPerServer = 50;
const countMax = 1000;
/** After a defect or a store that could not be read: the task is tried again then. */
const brokenMs = 60_000;
/** A folder of its own for each connection, as long as there are some. */
const connectionsOf = (task: QueuedTask, perAccount: number): number => (task.kind === 'bulk' ? perAccount : 1);

export function createLoop({ engine, clock = systemClock }: LoopOptions): Loop {
  const config = (): Config => engine.config;
  const { store, threads, log } = engine;
  const nowMs = (): number => clock().getTime();
  const running = new Map<string, Running>();
  const working = new Set<Promise<void>>();
  let isStopping = false;
  let rules: Rules = rulesOf(config());

  const queue = openQueue({
    folder: config().BACKPROC_DATA_LOCATION,
    nodeId: config().BACKPROC_NODE_ID,
    onProblem: (text) => log.warn(text),
    onLost: () => void planner.fill().then(() => turns.wake()),
  });
  const servers = createServers(store);
  const wishes = createWishes();
  const kept = createKept({ config, rules: () => rules, release: (acntid) => threads.release(acntid) });
  const planner = createPlanner({ store, queue, servers, rules: () => rules, clock });
  const runPass = createPassRunner({
    store,
    threads,
    planner,
    servers,
    wishes,
    rules: () => rules,
    keepWish: (account) => kept.wish(account, nowMs()),
    isStopping: () => isStopping,
    clock,
    log,
  });
  const turns = createTurns({ turn, onError: (error) => log.error(`schedule: ${asEngineError(error).message}`) });
  const news = createNews({
    store,
    clock,
    log,
    presenceSeconds: () => rules.presenceSeconds,
    onChanged,
    onArrived,
    onCommit: () => Promise.resolve(),
  });

  /** Returns in how many ms there is more to do. */
  async function turn(): Promise<number> {
    if (isStopping) return Number.POSITIVE_INFINITY;
    const now = nowMs();
    const skipServers = new Set(
      servers.list().flatMap(({ server }) => (servers.allowedOn(server, now) === 0 ? [server] : [])),
    );
    const due = await queue.due({ kinds: syncKinds, nowMs: now, skipServers, countPerServer, countMax });
    const starts = pick<SyncCandidate>({
      due: due.map(toCandidate),
      running: [...running.values()],
      kept: kept.list,
      ceilings: ceilingsOf(config()),
      allowedOn: (server) => servers.allowedOn(server, now),
      nowMs: now,
    });
    for (const { task: candidate, connections } of starts) begin(candidate, connections, now);
    const started = starts.map(({ task: { task } }) => ({
      ...keyOf(task),
      class: task.class,
      lateMs: Math.max(0, now - task.dueMs),
    }));
    await queue.start(started, now);
    for (const { task: candidate, connections, sliceMs } of starts)
      track(run(candidate.task, { connections, sliceMs }));
    // What is due and found no room waits for the end of a task, which wakes us.
    if (starts.length < due.length) return Number.POSITIVE_INFINITY;
    const nextMs = Math.min((await queue.nextDueMs(skipServers)) ?? Number.POSITIVE_INFINITY, servers.nextRetryMs(now));
    return nextMs - nowMs();
  }
  const toCandidate = (task: QueuedTask): SyncCandidate => ({
    task,
    class: isTaskClass(task.class) ? task.class : 'recent',
    acntid: task.acntid,
    server: task.server,
    dueMs: task.dueMs,
    connectionCountMax: connectionsOf(task, config().BG_MAX_CONNECTIONS_PER_ACCOUNT),
  });
  function begin({ task, class: name, acntid, server }: SyncCandidate, connections: number, startedMs: number): void {
    running.set(nameOf(task), { class: name, acntid, server, connections, startedMs });
    kept.drop(acntid);
  }
  const track = (work: Promise<void>): void => {
    working.add(work);
    void work.finally(() => working.delete(work));
  };
  async function run(task: QueuedTask, start: { connections: number; sliceMs: number | null }): Promise<void> {
    try {
      await settle(task, await runPass(task, start));
    } catch (error) {
      log.error(`a pass could not be begun or recorded: ${asEngineError(error).message}`, { acntid: task.acntid });
      kept.drop(task.acntid);
      await queue.end(keyOf(task), [{ ...task, dueMs: nowMs() + brokenMs }]);
    } finally {
      running.delete(nameOf(task));
      turns.wake();
    }
  }
  async function settle(task: QueuedTask, end: PassEnd): Promise<void> {
    const { acntid } = task;
    if (end === null) {
      await queue.end(keyOf(task), []);
      return queue.remove(syncKinds.map((kind) => ({ kind, acntid })));
    }
    if (end.kept === 'no') kept.drop(acntid);
    else kept.note(acntid, end.account.server, end.kept, nowMs());
    await queue.end(keyOf(task), end.next);
  }
  async function onChanged(acntids: readonly number[]): Promise<void> {
    for (const acntid of acntids) {
      kept.drop(acntid);
      threads.release(acntid);
    }
    await planner.replan(acntids);
    turns.wake();
  }
  /** They look now: their INBOX is synced at once, and watched from then on. */
  async function onArrived(acntids: readonly number[]): Promise<void> {
    await planner.replan(acntids);
    if (config().EMAIL_IDLE_ENABLED) for (const acntid of acntids) await wishInbox(acntid);
    turns.wake();
  }
  async function wishInbox(acntid: number): Promise<void> {
    const account = await planner.account(acntid);
    if (!account?.enabled || account.state !== 'ok' || !rules.isSyncEnabled || account.folders.length === 0) return;
    wishes.stir(acntid);
    await queue.put(urgent([], account, clock));
  }

  return {
    queue,
    servers,
    kept,
    get running() {
      return [...running.values()];
    },
    get accountCount() {
      return planner.accountCount;
    },
    async start() {
      await servers.load();
      rules = rulesOf(config(), dailySpreadMs(await store.accountCount()));
      await store.takeNewPasswords();
      // What these say is in the store, which is read whole now.
      await store.takeChangedAccounts();
      await planner.fill();
      await news.begin();
      turns.wake();
    },
    async request(acntid, wish) {
      const account = await planner.account(acntid);
      wishes.add(acntid, wish);
      if (!account) return wishes.fail(acntid);
      await queue.put(urgent([], account, clock));
      turns.wake();
    },
    stir(acntid) {
      void wishInbox(acntid).then(() => turns.wake());
    },
    lost: (acntid) => kept.drop(acntid),
    progress: (progress) => wishes.progress(progress),
    async reconfigure() {
      rules = rulesOf(config(), dailySpreadMs(await store.accountCount()));
      await planner.fill();
      turns.wake();
    },
    async tidy() {
      const away: number[] = kept.outdated(nowMs());
      for (const acntid of kept.watched()) {
        const account = await planner.account(acntid);
        if (!account || !isPresent(account, rules.presenceSeconds, nowMs())) away.push(acntid);
      }
      for (const acntid of away) {
        kept.drop(acntid);
        threads.release(acntid);
      }
    },
    async drain(graceMs) {
      isStopping = true;
      turns.stop();
      await news.stop();
      threads.cancelAll('pass');
      await Promise.race([Promise.allSettled(working), new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
      await queue.close();
    },
  };
}

const keyOf = ({ kind, acntid }: QueuedTask) => ({ kind, acntid });
const nameOf = ({ kind, acntid }: QueuedTask): string => `${kind}/${acntid}`;

const ceilingsOf = (config: Config): Ceilings => {
  const slots = config.BG_MAX_THREADS * Math.min(config.BG_THREAD_CONCURRENCY, config.BG_MAX_TASKS_PER_THREAD);
  return {
    slots: { sync: slots, send: slots, read: 1 },
    connectionsPerHost: config.BG_MAX_CONNECTIONS_PER_HOST,
    connectionsPerAccount: config.BG_MAX_CONNECTIONS_PER_ACCOUNT,
  };
};
