/**
 * `backproc run`: open → loop → drain. It runs until it is told to stop, until it can't go on, or until it has grown beyond its
 * memory limit; cron or a service manager launches it again.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import { asEngineError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import { storeFile } from '../config/store-location.ts';
import { controlAddress, type OrderHandler, serveControl } from './control/control.ts';
import { createOrders, type ReloadResult } from './control/orders.ts';
import { applicable, describeReload } from './control/reload.ts';
import { type EngineStatus, statusOf } from './control/status.ts';
import { type Engine, openEngine } from './engine.ts';
import type { Lock } from './launch/lock.ts';
import { createLoop, type Loop } from './loop.ts';
import { upkeepOf } from './upkeep-of.ts';

export interface RunEngineOptions {
  readonly config: Config;
  readonly configFile: string | null;
  readonly version: string;
  readonly lock: Lock;
  readonly launchNotes: readonly string[];
  readonly isJournal: boolean;
  /** Reads the configuration anew; throws `config_invalid`. */
  readonly loadConfig: () => Promise<Config>;
  /** Fires to stop it; its reason is logged. */
  readonly stop: AbortSignal;
  /** Called with how to reload, once that is possible: SIGHUP. */
  readonly onReady: (reload: () => void) => void;
  readonly onProblem: (text: string) => void;
  readonly clock?: Clock;
  readonly crashAt?: number | undefined;
}

export type EngineEnd =
  | { readonly kind: 'stopped' }
  /** It must be launched again. */
  | { readonly kind: 'broken'; readonly why: string };

const tidyMs = 60_000;
const upkeepMs = 10_000;
/** An idle thread costs 24 MB; starting one 200 ms. */
const threadIdleMs = 60_000;
/** Passes are cut at once; this is for their last transaction and LOGOUT. */
const closeMs = 10_000;

export async function runEngine(options: RunEngineOptions): Promise<EngineEnd> {
  const ending = createEnding();
  options.stop.addEventListener('abort', () => ending.stop(), { once: true });
  const control = controlAddress(options.config.BACKPROC_PID_LOCATION, storeFile(options.config));
  let loop: Loop | undefined;
  const engine = await openEngine({
    ...options,
    control,
    onProgress: (progress) => loop?.progress(progress),
    onStir: (acntid) => loop?.stir(acntid),
    onLost: (acntid) => loop?.lost(acntid),
    onBroken: (why) => ending.break(why),
  });
  loop = createLoop({ engine, ...(options.clock ? { clock: options.clock } : {}) });
  const reload = reloadOf(options, engine, loop);
  const server = await serveControl(control, ordersOf(options, engine, loop, ending, reload));
  const tidying = setInterval(() => void tidy(engine, loop, ending), tidyMs);
  const stopUpkeep = startUpkeep(engine, options.clock ?? systemClock);
  engine.log.info(`engine started: version ${options.version}, Node ${process.version}`);
  // Kept warm: mail goes out at once.
  if (options.config.EMAIL_OUTBOX_ENABLED) engine.threads.warm('send');
  await loop.start();
  options.onReady(() => {
    reload().catch((error: unknown) =>
      engine.log.error(`configuration not read again: ${asEngineError(error).message}`),
    );
  });
  process.title = 'backproc: running';
  const end = await ending.over;
  clearInterval(tidying);
  await stopUpkeep();
  engine.log.info(end.kind === 'stopped' ? 'engine stops' : `engine ends, to be launched again: ${end.why}`);
  process.title = 'backproc: running, stopping';
  await loop.drain(engine.config.BACKPROC_STOP_GRACE_SECONDS * 1000);
  server.close();
  await engine.close(closeMs);
  return end;
}

/** Retention, the WAL, the size of the store: beside the work, for as long as the engine runs. */
function startUpkeep(engine: Engine, clock: Clock): () => Promise<void> {
  const stopping = new AbortController();
  const upkeep = upkeepOf(engine, clock, stopping.signal);
  let ticking = upkeep.tick();
  const timer = setInterval(() => {
    ticking = upkeep.tick();
  }, upkeepMs);
  return async () => {
    clearInterval(timer);
    stopping.abort();
    await ticking;
  };
}

interface Ending {
  readonly over: Promise<EngineEnd>;
  readonly isOver: () => boolean;
  stop(): void;
  break(why: string): void;
}

/** What comes first counts. */
function createEnding(): Ending {
  let isOver = false;
  let end: (end: EngineEnd) => void = () => undefined;
  const over = new Promise<EngineEnd>((resolve) => {
    end = (how) => {
      isOver = true;
      resolve(how);
    };
  });
  return {
    over,
    isOver: () => isOver,
    stop: () => end({ kind: 'stopped' }),
    break: (why) => end({ kind: 'broken', why }),
  };
}

type Reload = () => Promise<ReloadResult>;

const reloadOf = (options: RunEngineOptions, engine: Engine, loop: Loop): Reload =>
  async function reload() {
    const result = applicable(engine.config, await options.loadConfig());
    engine.reconfigure(result.config);
    await loop.reconfigure();
    engine.log.info(`configuration read again; ${describeReload(result)}`);
    return result;
  };

function ordersOf(options: RunEngineOptions, engine: Engine, loop: Loop, ending: Ending, reload: Reload): OrderHandler {
  const status = (): Promise<EngineStatus> =>
    statusOf({ engine, loop, configFile: options.configFile, isStopping: ending.isOver() });
  return createOrders({ loop, status, stop: () => ending.stop(), reload });
}

async function tidy(engine: Engine, loop: Loop, ending: Ending): Promise<void> {
  engine.threads.endIdle(threadIdleMs, engine.config.EMAIL_OUTBOX_ENABLED ? ['send'] : []);
  const rssMib = process.memoryUsage.rss() / 1024 / 1024;
  const { BACKPROC_MEMORY_LIMIT_MB: limitMib } = engine.config;
  if (rssMib > limitMib) ending.break(`${Math.round(rssMib)} MiB of memory are more than BACKPROC_MEMORY_LIMIT_MB`);
  try {
    await loop.tidy();
  } catch (error) {
    engine.log.error(`tidying: ${asEngineError(error).message}`);
  }
}
