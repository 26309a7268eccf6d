/**
 * An engine in the process of the tests, of the built program: a .ts file can't be a worker's entry on Node 20. Held open from pass
 * to pass, one more costs 0.02 s of CPU, where a launch of `sync` costs 0.3. It holds the lock of the store: a program that is
 * launched needs it closed before.
 */
import { join } from 'node:path';
import { createContext } from '../../src/cli/context.ts';
import { storeFile } from '../../src/config/store-location.ts';
import type { Engine, openEngine } from '../../src/engine/engine.ts';
import type { launch } from '../../src/engine/launch/launch.ts';
import type { AccountScope, runPasses } from '../../src/engine/run-passes.ts';
import type { PassReport } from '../../src/sync/pass.ts';
import type { PassKind } from '../../src/sync/plan.ts';
import { built } from './built.ts';

export interface HeldEngine {
  /** What `sync ACNTID` does; the engine is opened where it is closed. */
  sync(acntid: number, pass: PassKind): Promise<PassReport[]>;
  isOpen(): boolean;
  close(): Promise<void>;
}

const installFolder = join(import.meta.dirname, '../..');
const stopMs = 10_000;
const ignore = (): void => undefined;

export function createHeldEngine(folder: string): HeldEngine {
  let opened: Promise<Engine> | null = null;
  return {
    async sync(acntid, pass) {
      opened ??= openEngineHere(folder, (why) => {
        throw new Error(why);
      });
      return runPassesHere(await opened, [{ acntid, scope: { kind: 'command', pass, paths: [] } }]);
    },
    isOpen: () => opened !== null,
    async close() {
      const closing = opened;
      opened = null;
      await (await closing)?.close(stopMs);
    },
  };
}

/** `onTrouble`: it lost its lock or its store thread, or cannot write its log. */
export async function openEngineHere(folder: string, onTrouble: (why: string) => void): Promise<Engine> {
  const { env, stdin, stdout, stderr } = process;
  const context = createContext({ env, cwd: folder, installFolder, stdin, stdout, stderr });
  const { config, file } = await context.loadConfig();
  const { version } = context;
  const modules = {
    ...built<{ launch: typeof launch }>('engine/launch/launch'),
    ...built<{ openEngine: typeof openEngine }>('engine/engine'),
  };
  const askToStop = (): Promise<boolean> => Promise.resolve(false);
  const answer = await modules.launch({ storeFile: storeFile(config), version, askToStop, say: onTrouble });
  if (answer.kind !== 'locked') throw new Error(`another process holds the store: ${answer.kind}`);
  return modules.openEngine({
    config,
    configFile: file,
    version,
    lock: answer.lock,
    launchNotes: [],
    isJournal: false,
    control: null,
    onProgress: ignore,
    onStir: ignore,
    onLost: ignore,
    onBroken: onTrouble,
    onProblem: onTrouble,
  });
}

export async function runPassesHere(engine: Engine, work: readonly AccountScope[]): Promise<PassReport[]> {
  const { runPasses: run } = built<{ runPasses: typeof runPasses }>('engine/run-passes');
  const { signal } = new AbortController();
  return run(engine, { config: engine.config, work, signal, onReport: ignore });
}
