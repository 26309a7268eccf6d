/**
 * The engine as it runs for months: already there, with its connections kept, told to look at every account at once, and not for
 * the first time.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { openSqlite } from '../src/base/sqlite.ts';
import { giveOrder } from '../src/engine/control/give-order.ts';
import { readHolder } from '../src/engine/launch/holder.ts';
import { type EngineProcess, startEngine } from '../test/support/engine-process.ts';
import { createInstallation } from '../test/support/installation.ts';
import type { Measure } from './measure.ts';
import type { Peer } from './peers.ts';

/** Passes by themselves would come every ten minutes: connections are kept that long, and none falls into a measurement. */
const intervalSeconds = 600;

export async function createWarmEngine(port: number, users: readonly string[]): Promise<Peer> {
  const installation = createInstallation({
    EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL: intervalSeconds,
    EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL_NL: intervalSeconds,
    BG_MAX_CONNECTIONS_PER_HOST: 2 * users.length,
    EMAIL_READING_ENABLED: false,
  });
  const acntids: number[] = [];
  for (const user of users) acntids.push(await installation.addAccount(port, user));
  let engine: EngineProcess | null = null;
  const lookAtAll = async (): Promise<void> => {
    const address = readHolder(installation.storeFile)?.record.control ?? '';
    const scope = { kind: 'command', pass: 'recent', paths: [] } as const;
    await Promise.all(
      acntids.map((acntid) => giveOrder(address, { order: 'sync', acntid, scope }, { onProgress: () => undefined })),
    );
  };
  return {
    name: 'the engine, running',
    async pass() {
      const startedMs = performance.now();
      engine ??= await startEngine(installation);
      const cpuBefore = cpuSecondsOf(engine.child.pid);
      await lookAtAll();
      return measureSince(startedMs, cpuBefore, engine.child.pid);
    },
    async settle() {
      const database = openSqlite(installation.storeFile, { timeout: 10_000 });
      const { changes } = database.prepare("UPDATE email_folders SET priority = 'high' WHERE priority <> 'high'").run();
      database.close();
      if (changes > 0) {
        // Whom that made due has its pass now, by itself.
        await wait(5000);
        await lookAtAll();
      }
      await wait(500);
    },
    async stop() {
      await engine?.stop();
    },
    remove: () => installation.remove(),
  };
}

function measureSince(startedMs: number, cpuBefore: number, pid: number | undefined): Measure {
  const peakKib = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return {
    wallSeconds: Math.round(performance.now() - startedMs) / 1000,
    cpuSeconds: cpuSecondsOf(pid) - cpuBefore,
    peakMib: peakKib / 1024,
  };
}

const ticksPerSecond = 100;

/** User and system time, fields 14 and 15 of /proc/PID/stat. */
function cpuSecondsOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
