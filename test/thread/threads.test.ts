/** Real worker threads of the built code: one that dies is replaced, its tasks are done all the same, nobody else notices. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import type { AccountScope } from '../../src/engine/run-passes.ts';
import type { PassReport } from '../../src/sync/pass.ts';
import { type FakeImapServer, startFakeImap } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { differences } from '../support/oracle.ts';

/** A .ts worker can't start on Node 20, so the engine comes from dist; its types are those of src. */
const dist = join(import.meta.dirname, '../../dist');
const { acquireLock, lockFileOf }: typeof import('../../src/engine/lock.ts') = await import(`${dist}/engine/lock.js`);
const { runPasses }: typeof import('../../src/engine/run-passes.ts') = await import(`${dist}/engine/run-passes.js`);
const { openEngine }: typeof import('../../src/engine/engine.ts') = await import(`${dist}/engine/engine.js`);
const { loadConfig }: typeof import('../../src/config/load.ts') = await import(`${dist}/config/load.js`);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface Stage {
  readonly server: FakeImapServer;
  readonly installation: Installation;
  readonly engine: Engine;
  pass(): Promise<PassReport[]>;
  readonly work: readonly AccountScope[];
}

async function stage(accounts: number, config: Record<string, unknown> = {}): Promise<Stage> {
  const server = await startFakeImap({ folders: [folder('INBOX', 50), folder('Other', 20)] });
  const installation = createInstallation({ EMAIL_NETWORK_TIMEOUT: 3, ...config });
  cleanups.push(() => server.stop());
  cleanups.push(() => installation.remove());
  const work: AccountScope[] = [];
  for (let number = 1; number <= accounts; number += 1) {
    const acntid = await installation.addAccount(server.port, `user${number}`);
    work.push({ acntid, scope: { kind: 'command', pass: 'recent', paths: [] } });
  }
  const env = {};
  const loaded = await loadConfig({
    file: join(installation.folder, 'config.json'),
    env,
    cwd: '/',
    installFolder: '/',
  });
  const lock = await acquireLock(lockFileOf(installation.storeFile));
  if (!lock) throw new Error('another engine holds the lock');
  const ignore = (): void => undefined;
  const engine = await openEngine({
    config: loaded.config,
    configFile: loaded.file,
    version: '0.0.0',
    lock,
    control: null,
    onProgress: ignore,
    onStir: ignore,
    onLost: ignore,
    onBroken: ignore,
    onProblem: ignore,
  });
  cleanups.push(() => engine.close(1000));
  const { signal } = new AbortController();
  const pass = (): Promise<PassReport[]> =>
    runPasses(engine, { config: loaded.config, work, onReport: ignore, signal });
  return { server, installation, engine, pass, work };
}

/** Resolves when the server is asked for bodies; until `release` it answers nothing. */
function holdBodies(server: FakeImapServer): { asked: Promise<void>; release: () => void } {
  let tell: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  server.script = ({ verb, args }) => {
    if (verb !== 'UID FETCH' || !args.includes('BODY.PEEK[]')) return undefined;
    tell();
    return { parts: [] };
  };
  return {
    asked,
    release: () => {
      server.script = undefined;
    },
  };
}

const errorsOf = (reports: readonly PassReport[]): unknown[] => reports.map(({ error }) => error?.code ?? null);
const logText = ({ installation }: Stage, kind: string): string => {
  const logs = join(installation.folder, 'logs');
  return readdirSync(logs)
    .filter((file) => file.endsWith(`${kind}.log`))
    .map((file) => readFileSync(join(logs, file), 'utf8'))
    .join('');
};

describe('a worker thread that dies in a pass', () => {
  it('is replaced, and its accounts are synced by the next one', async () => {
    const on = await stage(3);
    const { asked, release } = holdBodies(on.server);
    const passes = on.pass();
    await asked;
    release();
    await on.engine.threads.workers.get('t1')?.terminate();
    expect(errorsOf(await passes)).toEqual([null, null, null]);
    for (const { acntid } of on.work) expect(differences(on.installation, acntid, on.server.listing())).toEqual([]);
    expect(logText(on, 'threading-error')).toMatch(/^\[[^\]]+\]\[#\d+\.t0\] t1 ended: /);
  });

  it('again with the same task gives it up, and reports it', async () => {
    const on = await stage(1);
    const passes = on.pass();
    for (let death = 0; death < 2; death += 1) {
      const { asked } = holdBodies(on.server);
      await asked;
      await on.engine.threads.workers.get('t1')?.terminate();
    }
    expect(errorsOf(await passes)).toEqual(['thread_died']);
  });

  it('leaves the accounts of other threads alone', async () => {
    const on = await stage(2, { BG_THREAD_CONCURRENCY: 1 });
    const { asked, release } = holdBodies(on.server);
    const passes = on.pass();
    await asked;
    release();
    expect([...on.engine.threads.workers.keys()]).toEqual(['t1', 't2']);
    await on.engine.threads.workers.get('t2')?.terminate();
    expect(errorsOf(await passes)).toEqual([null, null]);
    for (const { acntid } of on.work) expect(differences(on.installation, acntid, on.server.listing())).toEqual([]);
  });
});

describe('more accounts than the threads have room for', () => {
  it('wait, and are all synced', async () => {
    const on = await stage(7, { BG_MAX_THREADS: 2, BG_THREAD_CONCURRENCY: 2 });
    expect(errorsOf(await on.pass())).toEqual(Array.from({ length: 7 }, () => null));
    expect([...on.engine.threads.workers.keys()]).toEqual(['t1', 't2']);
  });
});
