/** The upkeep of an engine's store and logs, by the configuration as it holds at each tick. */
import type { Clock } from '../base/clock.ts';
import { storeFile } from '../config/store-location.ts';
import { createUpkeep, type Upkeep } from '../upkeep/upkeep.ts';
import type { Engine } from './engine.ts';

export const upkeepOf = (engine: Engine, clock: Clock, signal: AbortSignal): Upkeep =>
  createUpkeep({
    store: engine.store,
    storeFile: storeFile(engine.config),
    get config() {
      return engine.config;
    },
    log: engine.log,
    clock,
    monotonicMs: () => performance.now(),
    signal,
  });
