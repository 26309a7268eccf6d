/** The parts of an engine in the test's own process, from the built code, with a fake server and some accounts on it. */
import { once } from 'node:events';
import { join } from 'node:path';
import type { Engine } from '../../src/engine/engine.ts';
import type { AccountScope } from '../../src/engine/run-passes.ts';
import type { PassReport } from '../../src/sync/pass.ts';
import { type FakeImapServer, startFakeImap } from './fake-imap-server.ts';
import type { FakeFolder } from './fake-mailbox.ts';
import { createInstallation, type Installation } from './installation.ts';

/** A .ts worker can't start on Node 20, so the engine comes from build/; its types are those of src. */
const built = join(import.meta.dirname, '../../build');
const { acquireLock }: typeof import('../../src/engine/launch/lock.ts') = await import(
  `${built}/engine/launch/lock.js`
);
const { lockFileOf }: typeof import('../../src/engine/launch/holder.ts') = await import(
  `${built}/engine/launch/holder.js`
);
const { runPasses }: typeof import('../../src/engine/run-passes.ts') = await import(`${built}/engine/run-passes.js`);
const { openEngine }: typeof import('../../src/engine/engine.ts') = await import(`${built}/engine/engine.js`);
const { loadConfig }: typeof import('../../src/config/load.ts') = await import(`${built}/config/load.js`);
export const { startWatchdog }: typeof import('../../src/engine/threads/watchdog.ts') = await import(
  `${built}/engine/threads/watchdog.js`
);

const cleanups: (() => unknown)[] = [];

/** For afterEach. */
export async function cleanUp(): Promise<void> {
  for (const clean of cleanups.splice(0).reverse()) await clean();
}

export interface Stage {
  readonly server: FakeImapServer;
  readonly installation: Installation;
  readonly engine: Engine;
  readonly work: readonly AccountScope[];
  /** One pass over all accounts, `user1` and on. */
  pass(): Promise<PassReport[]>;
  threadEnds(name: string): Promise<unknown>;
  onCleanUp(clean: () => unknown): void;
}

export async function stageEngine(
  accounts: number,
  config: Record<string, unknown>,
  folders: FakeFolder[],
): Promise<Stage> {
  const server = await startFakeImap({ folders });
  const installation = createInstallation({ EMAIL_NETWORK_TIMEOUT: 3, ...config });
  cleanups.push(() => server.stop());
  cleanups.push(() => installation.remove());
  const work: AccountScope[] = [];
  for (let number = 1; number <= accounts; number += 1) {
    const acntid = await installation.addAccount(server.port, `user${number}`);
    work.push({ acntid, scope: { kind: 'command', pass: 'recent', paths: [] } });
  }
  const file = join(installation.folder, 'config.json');
  const loaded = await loadConfig({ file, env: {}, cwd: '/', installFolder: '/' });
  const lock = await acquireLock(lockFileOf(installation.storeFile));
  if (!lock) throw new Error('another engine holds the lock');
  const ignore = (): void => undefined;
  const engine = await openEngine({
    config: loaded.config,
    configFile: loaded.file,
    version: '0.0.0',
    lock,
    launchNotes: [],
    isJournal: false,
    control: null,
    onProgress: ignore,
    onStir: ignore,
    onLost: ignore,
    onBroken: ignore,
    onProblem: ignore,
  });
  cleanups.push(() => engine.close(1000));
  const { signal } = new AbortController();
  return {
    server,
    installation,
    engine,
    work,
    pass: () => runPasses(engine, { config: loaded.config, work, onReport: ignore, signal }),
    threadEnds: async (name) => {
      const worker = engine.threads.workers.get(name);
      return worker && once(worker, 'exit');
    },
    onCleanUp: (clean) => void cleanups.push(clean),
  };
}
