/**
 * A simulated month: accounts on servers of every temper, users who come and go, mail to send, clocks that jump, engines that
 * are killed. Drives the planner as the engine's loop does, on the real schedule, pick and SQLite queue.
 */
import type { ErrorCode, ErrorRecord } from '../../../../src/base/errors.ts';
import type { Ceilings } from '../../../../src/engine/pick/situation.ts';
import type { Rules } from '../../../../src/engine/schedule/account.ts';
import type { Queue } from '../../../../src/queue/queue.ts';
import { inMemory, openJobFile } from '../../../../src/queue/sqlite/job-file.ts';
import { createSqliteQueue } from '../../../../src/queue/sqlite/sqlite-queue.ts';
import { createPlanner, type Planner } from './driver/planner.ts';
import type { Planned } from './driver/state.ts';
import { createModelStore, endPassBadly, endPassWell, type ModelAccount } from './model-store.ts';
import { createRandom, type Random } from './random.ts';
import { createReferee, type Referee } from './referee.ts';
import { createTimeline, type Timeline } from './timeline.ts';

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
  /** In simulated time: the engine is killed, and another starts a minute later with an empty queue. */
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
  readonly worstTickMs: number;
}

const second = 1000;
const minute = 60 * second;
const day = 86_400_000;

interface World {
  readonly options: WorldOptions;
  readonly random: Random;
  readonly time: Timeline;
  readonly accounts: readonly ModelAccount[];
  readonly referee: Referee;
  skewMs: number;
  queue: Queue;
  planner: Planner;
  /** Something happened that the engine is told of. */
  isWoken: boolean;
  /** Of this engine; a kill makes the ends of earlier passes meaningless. */
  generation: number;
  /** Accounts that may be late for once: the clock jumped, or the engine was away, since their last pass. */
  readonly excused: Set<number>;
  readonly offeredMs: Map<number, number>;
  outboxWorstMs: number;
  outboxCount: number;
  deadTries: number;
  readonly passesOf: Map<number, number>;
  readonly firstSyncsMs: Map<string, number>;
}

const wallMs = (world: World): number => world.options.startMs + world.time.nowMs + world.skewMs;
const serverOf = (world: World, account: ModelAccount): Server => world.options.servers[account.acntid - 1] as Server;

export async function runWorld(options: WorldOptions): Promise<WorldReport> {
  const world = createWorld(options);
  startEngine(world);
  await world.planner.refill();
  schedulePeople(world);
  scheduleOutbox(world);
  scheduleMishaps(world);
  const worstTickMs = await runEngine(world);
  const lateness = await world.queue.lateness(wallMs(world) - day);
  await world.queue.close();
  const { referee, accounts, outboxWorstMs, outboxCount, firstSyncsMs, deadTries, passesOf } = world;
  return {
    referee,
    accounts,
    outboxWorstMs,
    outboxCount,
    deadTries,
    passesOf,
    lateness,
    worstTickMs,
    nowMs: wallMs(world),
    firstSyncsMs: new Map([...firstSyncsMs, ...unfinishedGroups(world)]),
  };
}

function unfinishedGroups(world: World): [string, number][] {
  return world.accounts
    .filter(({ folders }) => folders.some(({ firstMs }) => firstMs > 0))
    .map((account) => [serverOf(world, account).group, Number.POSITIVE_INFINITY]);
}

function createWorld(options: WorldOptions): World {
  const random = createRandom(options.seed);
  const world: World = {
    options,
    random,
    time: createTimeline(),
    accounts: options.servers.map((server, index) => makeAccount(options, random, server, index + 1)),
    referee: createReferee(options.rules(0), options.timeZone, options.dailyStart),
    skewMs: 0,
    queue: createSqliteQueue(openJobFile(inMemory)),
    planner: undefined as never,
    isWoken: false,
    generation: 0,
    excused: new Set(),
    offeredMs: new Map(),
    outboxWorstMs: 0,
    outboxCount: 0,
    deadTries: 0,
    passesOf: new Map(),
    firstSyncsMs: new Map(),
  };
  return world;
}

/** INBOX, one more of high priority, one or two of low; synced during the day before the start, or never. */
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

function startEngine(world: World): void {
  const { options, time } = world;
  world.generation += 1;
  // The queue may be replaced under the planner, as open-queue.ts does it.
  const queue = new Proxy({} as Queue, { get: (_, verb: keyof Queue) => world.queue[verb] });
  world.planner = createPlanner({
    store: createModelStore(() => world.accounts),
    queue,
    nowMs: () => wallMs(world),
    monotonicMs: () => time.nowMs,
    rules: options.rules,
    ceilings: () => options.ceilings,
    log: () => undefined,
  });
}

/**
 * As the engine's loop: wakes for what is due, for what ended and for what is new, at most once a second. Returns the slowest
 * tick in real time.
 */
async function runEngine(world: World): Promise<number> {
  const { time, options } = world;
  const endMs = options.days * day;
  let worstTickMs = 0;
  while (time.nowMs < endMs) {
    const startedMs = performance.now();
    const starts = await world.planner.tick([]);
    worstTickMs = Math.max(worstTickMs, performance.now() - startedMs);
    for (const planned of starts) startTask(world, planned);
    const next = await world.planner.nextStartMs([]);
    const dueMs = next === null ? endMs : next - options.startMs - world.skewMs;
    // What is due and did not start waits for its own account: an end will tell.
    const wakeMs = dueMs <= time.nowMs && starts.length === 0 ? time.nowMs + 5 * second : dueMs;
    await sleep(world, Math.min(endMs, Math.max(time.nowMs + second, wakeMs)));
  }
  return worstTickMs;
}

/** Until `untilMs`, or until something woke the engine, a second at least. */
async function sleep(world: World, untilMs: number): Promise<void> {
  const { time } = world;
  world.isWoken = false;
  await time.advanceTo(Math.min(untilMs, time.nowMs + second));
  while (!world.isWoken && time.nowMs < untilMs) await time.advanceTo(Math.min(untilMs, time.nextMs()));
}

function startTask(world: World, planned: Planned): void {
  if (planned.work) startPass(world, planned);
  else startSending(world, planned);
}

function startPass(world: World, planned: Planned): void {
  const account = world.accounts[planned.acntid - 1] as ModelAccount;
  const server = serverOf(world, account);
  const { random, time, referee, generation } = world;
  world.passesOf.set(account.acntid, (world.passesOf.get(account.acntid) ?? 0) + 1);
  referee.noteStart(
    account,
    server.group,
    wallMs(world),
    account.failure !== null || world.excused.delete(account.acntid),
  );
  const failure = failureOf(world, server);
  const firstMs = Math.min(planned.sliceMs ?? 0, workLeft(account, planned));
  const passMs = failure ? random.between(second, 60 * second) : random.between(...server.passMs) + firstMs;
  time.at(time.nowMs + passMs, async () => {
    if (world.generation !== generation) return;
    await endPass(world, account, planned, failure, firstMs);
  });
}

const workLeft = ({ folders }: ModelAccount, { work }: Planned): number =>
  folders.reduce((sum, { emfdid, firstMs }) => sum + (work?.first.includes(emfdid) ? firstMs : 0), 0);

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

async function endPass(
  world: World,
  account: ModelAccount,
  planned: Planned,
  failure: ErrorRecord | null,
  firstMs: number,
): Promise<void> {
  const nowMs = wallMs(world);
  const { work } = planned;
  let wasUseful = false;
  if (failure) endPassBadly(account, failure, nowMs);
  else if (work) {
    const daily = account.folders.filter((folder) => isDaily(folder, planned));
    wasUseful = endPassWell(account, work, firstMs, nowMs);
    for (const { emfdid } of daily) world.referee.noteDailyEnd(account, emfdid, nowMs);
    if (work.first.length > 0) world.firstSyncsMs.set(serverOf(world, account).group, world.time.nowMs);
  }
  world.isWoken = true;
  await world.planner.ended(planned, { error: failure, wasUseful });
}

function isDaily({ emfdid, priority, firstMs }: ModelAccount['folders'][number], { work }: Planned): boolean {
  return priority === 'low' && firstMs <= 0 && work?.scope.kind === 'schedule' && work.scope.full.includes(emfdid);
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
  world.isWoken ||= !wasHere;
  if (!wasHere) await world.planner.refresh([account.acntid]);
  if (time.nowMs + 14 * minute < untilMs) time.at(time.nowMs + 14 * minute, () => beSeen(world, account, untilMs));
}

function scheduleOutbox(world: World): void {
  const { random, time, options } = world;
  const offer = async (): Promise<void> => {
    const acntid = 1 + Math.floor(random.next() * world.accounts.length);
    if (!world.offeredMs.has(acntid)) {
      world.isWoken = true;
      world.offeredMs.set(acntid, time.nowMs);
      const task = { kind: 'outbox', class: 'outbox', acntid, server: `smtp${acntid % 7}:465`, dueMs: wallMs(world) };
      await world.planner.offer([{ ...task, attempts: 0, fruitlessCount: 0 }]);
    }
    time.at(time.nowMs + random.after(options.outboxMs), offer);
  };
  time.at(random.after(options.outboxMs), offer);
}

function startSending(world: World, planned: Planned): void {
  const { time, random } = world;
  const offeredMs = world.offeredMs.get(planned.acntid) ?? time.nowMs;
  world.outboxWorstMs = Math.max(world.outboxWorstMs, time.nowMs - offeredMs);
  world.outboxCount += 1;
  time.at(time.nowMs + random.between(second, 5 * second), async () => {
    world.isWoken = true;
    world.offeredMs.delete(planned.acntid);
    await world.planner.ended(planned, { error: null, wasUseful: true });
  });
}

function scheduleMishaps(world: World): void {
  const { options, time, accounts } = world;
  const excuseAll = (): void => {
    for (const { acntid } of accounts) world.excused.add(acntid);
  };
  for (const [atMs, byMs] of options.jumps)
    time.at(atMs, async () => {
      world.isWoken = true;
      world.skewMs += byMs;
      world.referee.noteJump(byMs, wallMs(world));
      for (const account of accounts)
        if (account.lastSeenMs !== null) Object.assign(account, { lastSeenMs: account.lastSeenMs + byMs, times: null });
      excuseAll();
      await world.planner.refresh(accounts.map(({ acntid }) => acntid));
    });
  for (const atMs of options.kills)
    time.at(atMs, async () => {
      await world.queue.close();
      world.queue = createSqliteQueue(openJobFile(inMemory));
      world.isWoken = true;
      world.offeredMs.clear();
      startEngine(world);
      excuseAll();
      await world.planner.refill();
    });
  for (const atMs of options.losses)
    time.at(atMs, async () => {
      await world.queue.close();
      world.queue = createSqliteQueue(openJobFile(inMemory));
      excuseAll();
      await world.planner.refill();
    });
}
