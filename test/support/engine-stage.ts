/** The parts of an engine in the test's own process, from the built code, with a fake server and some accounts on it. */
import { once } from 'node:events';
import type { Engine } from '../../src/engine/engine.ts';
import type { AccountScope } from '../../src/engine/run-passes.ts';
import type { PassReport } from '../../src/sync/pass.ts';
import { built } from './built.ts';
import { type FakeImapServer, startFakeImap } from './fake-imap-server.ts';
import type { FakeFolder } from './fake-mailbox.ts';
import { openEngineHere, runPassesHere } from './held-engine.ts';
import { createInstallation, type Installation } from './installation.ts';

export const { startWatchdog } =
  built<typeof import('../../src/engine/threads/watchdog.ts')>('engine/threads/watchdog');

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
  const engine = await openEngineHere(installation.folder, () => undefined);
  cleanups.push(() => engine.close(1000));
  return {
    server,
    installation,
    engine,
    work,
    pass: () => runPassesHere(engine, work),
    threadEnds: async (name) => {
      const worker = engine.threads.workers.get(name);
      return worker && once(worker, 'exit');
    },
    onCleanUp: (clean) => void cleanups.push(clean),
  };
}
