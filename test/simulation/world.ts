/**
 * A simulated month: accounts on servers of every temper, users who come and go, mail to send, clocks that jump, engines that
 * are killed. The engine's own loop runs in it (engine.ts), on timers of simulated time.
 */
import { vi } from 'vitest';
import type { ErrorCode, ErrorRecord } from '../../src/base/errors.ts';
import type { Ceilings } from '../../src/engine/pick/situation.ts';
import type { Rules } from '../../src/engine/schedule/account.ts';
import type { Queue, QueuedTask } from '../../src/queue/queue.ts';
import type { FolderReport, PassReport, PassTask } from '../../src/sync/pass.ts';
import { createEngine, type SimulatedEngine } from './engine.ts';
import { createModelStore, endPassBadly, endPassWell, firstFolders, type ModelAccount } from './model-store.ts';
import { createRandom, type Random } from './random.ts';
import { createReferee, type Referee } from './referee.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { createTimers, type Timers } from './timers.ts';

export interface Server {
  readonly name: string;
  /** What the referee judges together. */
  readonly group: string;
  /** Of an ordinary pass. */
  readonly passMs: readonly [least: number, most: number];
  /** One pass in so many fails with this. */
  readonly failure?: { readonly oneIn: number; readonly code: ErrorCode; readonly namedMs?: number };
  /** Answers nobody from … to …, in milliseconds of simulated time. */
  readonly dead?: readonly [fromMs: number, untilMs: number];
}

export interface WorldOptions {
  readonly seed: number;
  readonly startMs: number;
  readonly days: number;
  readonly rules: (dailySpreadMs: number) => Rules;
  readonly timeZone: string;
  readonly dailyStart: string;
  readonly ceilings: Ceilings;
  /** Account by account. */
  readonly servers: readonly Server[];
  /** Of the accounts, the share whose folders were never synced at the start. */
  readonly newShare: number;
  /** Time between two visits of a user, and the length of a visit. */
  readonly awayMs: number;
  readonly hereMs: number;
  /** Between two mails that are to be sent. */
  readonly outboxMs: number;
  /** In simulated time: the wall clock moves by so much. */
  readonly jumps: readonly (readonly [atMs: number, byMs: number])[];
  /** In simulated time: the engine is killed, and another starts at once with an empty queue. */
  readonly kills: readonly number[];
  /** In simulated time: the job database is lost while the engine runs. */
  readonly losses: readonly number[];
}

export interface WorldReport {
  readonly referee: Referee;
  readonly accounts: readonly ModelAccount[];
  readonly nowMs: number;
  readonly outboxWorstMs: number;
  readonly outboxCount: number;
  /** Simulated time by which every first sync had ended, by group; Infinity: not all have. */
  readonly firstSyncsMs: ReadonlyMap<string, number>;
  readonly passesOf: ReadonlyMap<number, number>;
  /** Passes that were tried while their server was dead. */
  readonly deadTries: number;
  /** By class, as `status` would print it. */
  readonly lateness: Awaited<ReturnType<Queue['lateness']>>;
}

const second = 1000;
const minute = 60 * second;
const day = 86_400_000;

interface World {
  readonly options: WorldOptions;
  readonly random: Random;
  readonly time: Timeline;
  readonly timers: Timers;
  readonly accounts: readonly ModelAccount[];
  readonly store: ReturnType<typeof createModelStore>;
  readonly referee: Referee;
  skewMs: number;
  engine: SimulatedEngine;
  /** Of engines: a kill makes the ends of earlier passes meaningless. */
  generation: number;
  /** Something happened that the engine has to do with. */
  isTouched: boolean;
  /** Accounts that may be late for once: the clock jumped, or the engine was away, since their last pass. */
  readonly excused: Set<number>;
  readonly offeredMs: Map<number, number>;
  readonly passesOf: Map<number, number>;
  readonly firstSyncsMs: Map<string, number>;
  outboxWorstMs: number;
  outboxCount: number;
  deadTries: number;
}

const wallMs = (world: World): number => world.options.startMs + world.time.nowMs + world.skewMs;
const serverOf = (world: World, account: ModelAccount): Server => world.options.servers[account.acntid - 1] as Server;

export async function runWorld(options: WorldOptions): Promise<WorldReport> {
  const world = createWorld(options);
  vi.stubGlobal('setTimeout', world.timers.set);
  vi.stubGlobal('clearTimeout', world.timers.clear);
  try {
    await world.engine.start();
    await world.timers.settle();
    schedulePeople(world);
    scheduleOutbox(world);
    scheduleMishaps(world);
    await live(world);
    return await reportOf(world);
  } finally {
    vi.unstubAllGlobals();
  }
}

async function live(world: World): Promise<void> {
  const { time, timers, options } = world;
  const endMs = options.days * day;
  while (time.nowMs < endMs) {
    await time.advanceTo(Math.min(endMs, time.nextMs()));
    if (!world.isTouched && !timers.hasFired()) continue;
    world.isTouched = false;
    await timers.settle();
  }
}

async function reportOf(world: World): Promise<WorldReport> {
  const { referee, accounts, outboxWorstMs, outboxCount, firstSyncsMs, deadTries, passesOf } = world;
  const unfinished = accounts
    .filter(({ folders }) => folders.some(({ firstMs }) => firstMs > 0))
    .map((account) => [serverOf(world, account).group, Number.POSITIVE_INFINITY] as const);
  const lateness = await world.engine.queue().lateness(wallMs(world) - day);
  world.engine.kill();
  return {
    referee,
    accounts,
    nowMs: wallMs(world),
    outboxWorstMs,
    outboxCount,
    firstSyncsMs: new Map([...firstSyncsMs, ...unfinished]),
    passesOf,
    deadTries,
    lateness,
  };
}

function createWorld(options: WorldOptions): World {
  const random = createRandom(options.seed);
  const time = createTimeline();
  const accounts = options.servers.map((server, index) => makeAccount(options, random, server, index + 1));
  const world: World = {
    options,
    random,
    time,
    timers: createTimers(time),
    accounts,
    store: createModelStore(() => accounts),
    referee: createReferee(options.rules(0), options.timeZone, options.dailyStart),
    skewMs: 0,
    engine: undefined as never,
    generation: 0,
    isTouched: false,
    excused: new Set(),
    offeredMs: new Map(),
    passesOf: new Map(),
    firstSyncsMs: new Map(),
    outboxWorstMs: 0,
    outboxCount: 0,
    deadTries: 0,
  };
  makeEngine(world);
  return world;
}

/** INBOX, one more of high priority, one or two of low; synced during the last hours, or never. */
function makeAccount(options: WorldOptions, random: Random, server: Server, acntid: number): ModelAccount {
  const isNew = random.next() < options.newShare;
  const lowCount = 1 + (acntid % 2);
  const folders = Array.from({ length: 2 + lowCount }, (_, index) => {
    const syncedMs = options.startMs - random.between(0, 90 * minute);
    return {
      emfdid: index + 1,
      priority: index < 2 ? ('high' as const) : ('low' as const),
      firstMs: isNew ? random.after(5 * minute) + 1 : 0,
      recentMs: isNew ? null : syncedMs,
      fullMs: isNew ? null : syncedMs,
    };
  });
  const checkedMs = isNew ? null : options.startMs;
  const nothing = { lastSeenMs: null, retryMs: null, failure: null, failureCount: 0, times: null };
  return { acntid, server: `${server.name}:993`, userId: `u${acntid}`, checkedMs, folders, ...nothing };
}

function makeEngine(world: World): void {
  const { options, time, store } = world;
  world.generation += 1;
  world.engine = createEngine({
    accounts: () => world.accounts,
    nowMs: () => wallMs(world),
    monotonicMs: () => time.nowMs,
    rules: options.rules,
    ceilings: options.ceilings,
    rests: store,
    runPass: (task) => runPass(world, task),
    send: (task) => send(world, task),
  });
}

/** Resolves at an instant of simulated time; never, when the engine was killed meanwhile. */
function after(world: World, ms: number): Promise<void> {
  const { generation, time } = world;
  return new Promise((resolve) => {
    time.at(time.nowMs + ms, () => {
      if (world.generation !== generation) return;
      world.isTouched = true;
      resolve();
    });
  });
}

async function runPass(world: World, { acntid, scope, sliceMs }: PassTask): Promise<PassReport> {
  const account = world.accounts[acntid - 1] as ModelAccount;
  const server = serverOf(world, account);
  const { random, referee, passesOf } = world;
  passesOf.set(acntid, (passesOf.get(acntid) ?? 0) + 1);
  referee.noteStart(account, server.group, wallMs(world), account.failure !== null || world.excused.delete(acntid));
  const failure = failureOf(world, server);
  const workMs = firstFolders(account, scope).reduce((sum, { firstMs }) => sum + firstMs, 0);
  const firstMs = Math.min(sliceMs ?? Number.POSITIVE_INFINITY, workMs);
  await after(world, failure ? random.between(second, 60 * second) : random.between(...server.passMs) + firstMs);
  if (failure) endPassBadly(account, failure, wallMs(world));
  else endWell(world, account, scope, firstMs);
  const isUnfinished = failure === null && workMs > firstMs;
  const folders = failure === null && firstMs > 0 ? [received] : [];
  return { acntid, folders, unchangedCount: 0, error: failure, isUnfinished, isKept: false };
}

const received: FolderReport = {
  emfdid: 1,
  path: 'INBOX',
  receivedCount: 1,
  receivedBytes: 1,
  flagCount: 0,
  vanishedCount: 0,
  quarantinedCount: 0,
  heldCount: 0,
  error: null,
};

function endWell(world: World, account: ModelAccount, scope: PassTask['scope'], firstMs: number): void {
  const full = scope.kind === 'schedule' ? scope.full : [];
  const daily = account.folders.filter(
    (one) => one.priority === 'low' && one.firstMs <= 0 && full.includes(one.emfdid),
  );
  endPassWell(account, scope, firstMs, wallMs(world));
  for (const { emfdid } of daily) world.referee.noteDailyEnd(account, emfdid, wallMs(world));
  if (firstMs > 0) world.firstSyncsMs.set(serverOf(world, account).group, world.time.nowMs);
}

function failureOf(world: World, { dead, failure }: Server): ErrorRecord | null {
  const { time, random } = world;
  if (dead && time.nowMs >= dead[0] && time.nowMs < dead[1]) {
    world.deadTries += 1;
    return { code: 'connection_refused', scope: 'account', remedy: 'retry', detail: 'dead' };
  }
  if (!failure || !random.isOneIn(failure.oneIn)) return null;
  const named =
    failure.namedMs === undefined ? {} : { notBefore: new Date(wallMs(world) + failure.namedMs).toISOString() };
  return { code: failure.code, scope: 'account', remedy: 'retry', detail: 'by chance', ...named };
}

/** A user comes, is seen again and again as an application would write it, and goes. */
function schedulePeople(world: World): void {
  const { random, time, options } = world;
  for (const account of world.accounts) {
    const come = async (): Promise<void> => {
      const visitMs = random.after(options.hereMs);
      await beSeen(world, account, time.nowMs + visitMs);
      time.at(time.nowMs + visitMs + random.after(options.awayMs), come);
    };
    time.at(random.after(options.awayMs), come);
  }
}

/** Every 14 minutes is enough, as the timeout is 15; the referee is told how long he counts as logged in. */
async function beSeen(world: World, account: ModelAccount, untilMs: number): Promise<void> {
  const { time, referee, options } = world;
  const nowMs = wallMs(world);
  const timeoutMs = options.rules(0).presenceSeconds * second;
  const wasHere = account.lastSeenMs !== null && Math.abs(nowMs - account.lastSeenMs) < timeoutMs;
  Object.assign(account, { lastSeenMs: nowMs, times: null });
  referee.notePresence(account, nowMs, nowMs + timeoutMs);
  world.isTouched ||= !wasHere;
  if (!wasHere) await world.engine.refresh([account.acntid]);
  if (time.nowMs + 14 * minute < untilMs) time.at(time.nowMs + 14 * minute, () => beSeen(world, account, untilMs));
}

function scheduleOutbox(world: World): void {
  const { random, time, options } = world;
  const offer = async (): Promise<void> => {
    const acntid = 1 + Math.floor(random.next() * world.accounts.length);
    if (!world.offeredMs.has(acntid)) {
      world.isTouched = true;
      world.offeredMs.set(acntid, time.nowMs);
      const task = { kind: 'outbox', class: 'outbox', acntid, server: `smtp${acntid % 7}:465`, dueMs: wallMs(world) };
      await world.engine.offer({ ...task, attempts: 0, fruitlessCount: 0 });
    }
    time.at(time.nowMs + random.after(options.outboxMs), offer);
  };
  time.at(random.after(options.outboxMs), offer);
}

async function send(world: World, { acntid }: QueuedTask): Promise<void> {
  const { time, random, offeredMs } = world;
  world.outboxWorstMs = Math.max(world.outboxWorstMs, time.nowMs - (offeredMs.get(acntid) ?? time.nowMs));
  world.outboxCount += 1;
  await after(world, random.between(second, 5 * second));
  offeredMs.delete(acntid);
}

function scheduleMishaps(world: World): void {
  const { options, time, accounts } = world;
  const at = (atMs: number, happen: () => Promise<void>): void =>
    time.at(atMs, async () => {
      world.isTouched = true;
      for (const { acntid } of accounts) world.excused.add(acntid);
      await happen();
    });
  for (const [atMs, byMs] of options.jumps) at(atMs, () => jump(world, byMs));
  for (const atMs of options.losses) at(atMs, () => world.engine.loseQueue());
  for (const atMs of options.kills)
    at(atMs, async () => {
      world.engine.kill();
      world.offeredMs.clear();
      makeEngine(world);
      await world.engine.start();
    });
}

/** Applications write by the new clock: who is here is seen now. */
async function jump(world: World, byMs: number): Promise<void> {
  world.skewMs += byMs;
  world.referee.noteJump(byMs, wallMs(world));
  for (const account of world.accounts)
    if (account.lastSeenMs !== null) Object.assign(account, { lastSeenMs: account.lastSeenMs + byMs, times: null });
  await world.engine.refresh(world.accounts.map(({ acntid }) => acntid));
}
