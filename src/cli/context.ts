/** What a command is given: its surroundings, the configuration, the store, and how it prints. */

import type { LoadedConfig } from '../config/load.ts';
import { versionIn } from '../config/version.ts';
import type { Store } from '../store/store.ts';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly installFolder: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export interface CliContext extends Surroundings {
  /** Of the program. */
  readonly version: string;
  /** --config FILE, once the command line was read. */
  configFile: string | undefined;
  /** Somebody looks: progress and closing words are printed. */
  readonly isTerminal: boolean;
  loadConfig(): Promise<LoadedConfig>;
  /** The store in this process, for reading and for single edits; closed afterwards. */
  withStore<T>(work: (store: Store) => Promise<T>): Promise<T>;
  /** A line on stdout, always: data. */
  print(text: string): void;
  /** A line on stdout for people: only on a terminal. */
  say(text: string): void;
  setExitCode(code: number): void;
}

export function createContext(surroundings: Surroundings): CliContext {
  const { stdout, env, cwd, installFolder } = surroundings;
  const context: CliContext = {
    ...surroundings,
    version: versionIn(installFolder),
    configFile: undefined,
    isTerminal: stdout.isTTY === true,
    async loadConfig() {
      const { loadConfig } = await import('../config/load.ts');
      const loaded = await loadConfig({ file: context.configFile, env, cwd, installFolder });
      if (loaded.file === null) await noConfigFile(context);
      return loaded;
    },
    async withStore(work) {
      const { config } = await context.loadConfig();
      const { storeFile } = await import('../config/store-location.ts');
      const { openSqliteStore } = await import('../store/sqlite/open-store.ts');
      const store = await openSqliteStore({
        file: storeFile(config),
        keyFile: config.BACKPROC_SECRET_KEY_FILE,
        step: crashStep(Number(env.BACKPROC_TEST_CRASH_AT ?? 0)),
      });
      try {
        return await work(store);
      } finally {
        await store.close();
      }
    },
    print: (text) => void stdout.write(`${text}\n`),
    say: (text) => {
      if (context.isTerminal) stdout.write(`${text}\n`);
    },
    setExitCode(code) {
      process.exitCode = code;
    },
  };
  return context;
}

/** Tests: SIGKILL at this durable step; no handler runs, nothing is flushed. */
function crashStep(crashAt: number): () => void {
  let count = 0;
  return () => {
    count += 1;
    if (count === crashAt) process.kill(process.pid, 'SIGKILL');
  };
}

/** On a terminal the defaults are used, and said; under cron a wrong folder must not start an empty store in silence. */
async function noConfigFile(context: CliContext): Promise<void> {
  if (context.isTerminal) {
    context.stderr.write(`no configuration file found: using defaults in ${context.cwd}\n`);
    return;
  }
  const { EngineError } = await import('../base/errors.ts');
  throw new EngineError(
    'config_not_found',
    `looked in ${[...new Set([context.cwd, context.installFolder])].join(' and ')}`,
  );
}
