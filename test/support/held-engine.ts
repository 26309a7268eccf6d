/**
 * The engine of `sync` in the process of the tests, open from pass to pass: one more pass costs 0.02 s of CPU, a launch 0.7. Its
 * threads run the built program. It holds the lock of the store: a program that is launched needs it closed before.
 */
import { createContext } from '../../src/cli/context.ts';
import { storeFile } from '../../src/config/store-location.ts';
import type { Engine, openEngine } from '../../src/engine/engine.ts';
import type { launch } from '../../src/engine/launch/launch.ts';
import type { runPasses } from '../../src/engine/run-passes.ts';
import type { PassReport } from '../../src/sync/pass.ts';
import type { PassKind } from '../../src/sync/plan.ts';

export interface HeldEngine {
  /** What `sync ACNTID` does; the engine is opened where it is closed. */
  sync(acntid: number, pass: PassKind): Promise<PassReport[]>;
  isOpen(): boolean;
  close(): Promise<void>;
}

const built = (path: string): string => new URL(`../../build/engine/${path}.js`, import.meta.url).href;
const stopMs = 10_000;

export function createHeldEngine(folder: string, installFolder: string): HeldEngine {
  let opened: Promise<Engine> | null = null;
  return {
    async sync(acntid, pass) {
      opened ??= open(folder, installFolder);
      const engine = await opened;
      const { runPasses: run } = (await import(built('run-passes'))) as { runPasses: typeof runPasses };
      const work = [{ acntid, scope: { kind: 'command', pass, paths: [] } } as const];
      const { signal } = new AbortController();
      return run(engine, { config: engine.config, work, signal, onReport: () => undefined });
    },
    isOpen: () => opened !== null,
    async close() {
      const closing = opened;
      opened = null;
      await (await closing)?.close(stopMs);
    },
  };
}

async function open(folder: string, installFolder: string): Promise<Engine> {
  const { env, stdin, stdout, stderr } = process;
  const context = createContext({ env, cwd: folder, installFolder, stdin, stdout, stderr });
  const { config, file } = await context.loadConfig();
  const { launch: begin } = (await import(built('launch/launch'))) as { launch: typeof launch };
  const { openEngine: openBuilt } = (await import(built('engine'))) as { openEngine: typeof openEngine };
  const fail = (why: string): never => {
    throw new Error(why);
  };
  const { version } = context;
  const answer = await begin({
    storeFile: storeFile(config),
    version,
    askToStop: () => Promise.resolve(false),
    say: fail,
  });
  if (answer.kind !== 'locked') return fail(`the store is held by another process: ${answer.kind}`);
  return openBuilt({
    config,
    configFile: file,
    version,
    lock: answer.lock,
    launchNotes: [],
    isJournal: false,
    control: null,
    onProgress: () => undefined,
    onStir: () => undefined,
    onLost: () => undefined,
    onBroken: fail,
    onProblem: fail,
  });
}
