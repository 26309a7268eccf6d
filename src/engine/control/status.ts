/** What `status` tells: gathered when asked, from what the engine knows anyway. Plain data. */
import { statSync } from 'node:fs';
import { storeFile } from '../../config/store-location.ts';
import type { ClassCount, Lateness } from '../../queue/queue.ts';
import type { AccountState } from '../../store/store.ts';
import type { Engine } from '../engine.ts';
import type { Loop } from '../loop.ts';

export interface ThreadStatus {
  readonly thread: string;
  readonly group: string;
  readonly utilization: number;
  readonly beatAgeMs: number;
  readonly tasks: readonly { readonly what: string; readonly acntid: number | null; readonly runSeconds: number }[];
}

export interface HostStatus {
  readonly server: string;
  readonly passes: number;
  readonly connections: number;
  readonly kept: number;
  /** Why it rests, and until when; null: it does not. */
  readonly rests: { readonly until: string; readonly error: string } | null;
}

export interface EngineStatus {
  readonly pid: number;
  readonly version: string;
  readonly node: string;
  readonly since: string;
  readonly upSeconds: number;
  readonly configFile: string | null;
  readonly store: string;
  readonly storeBytes: number;
  readonly walBytes: number;
  readonly rssMib: number;
  readonly isStopping: boolean;
  readonly accounts: number;
  readonly accountStates: Readonly<Record<AccountState, number>>;
  readonly threads: readonly ThreadStatus[];
  readonly queue: readonly ClassCount[];
  /** Of the last hour. */
  readonly lateness: readonly Lateness[];
  readonly hosts: readonly HostStatus[];
  readonly lastErrors: readonly { readonly acntid: number; readonly error: string; readonly retryAt: string | null }[];
}

export interface StatusSources {
  readonly engine: Engine;
  readonly loop: Loop;
  readonly configFile: string | null;
  readonly isStopping: boolean;
}

const hourMs = 3_600_000;
const errorCountMax = 20;

export async function statusOf({ engine, loop, configFile, isStopping }: StatusSources): Promise<EngineStatus> {
  const nowMs = Date.now();
  const { holder } = engine;
  const file = storeFile(engine.config);
  const [counts, lateness, states, troubled] = [
    await loop.queue.counts(nowMs),
    await loop.queue.lateness(nowMs - hourMs),
    await engine.store.accountStates(),
    await engine.store.troubledAccounts(errorCountMax),
  ];
  return {
    pid: holder.pid,
    version: holder.version,
    node: holder.node,
    since: holder.startedAt,
    upSeconds: Math.round(process.uptime()),
    configFile,
    store: file,
    storeBytes: bytesOf(file),
    walBytes: bytesOf(`${file}-wal`),
    rssMib: Math.round(process.memoryUsage.rss() / 1024 / 1024),
    isStopping,
    accounts: states.ok + states.auth_error + states.backoff,
    accountStates: states,
    threads: threadsOf(engine),
    queue: counts,
    lateness,
    hosts: hostsOf(loop),
    lastErrors: troubled,
  };
}

const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

function threadsOf({ threads }: Engine): ThreadStatus[] {
  const nowMs = performance.now();
  return threads.list().map((thread) => ({
    thread: thread.name,
    group: thread.group,
    utilization: Math.round(thread.load().utilization * 100) / 100,
    beatAgeMs: Math.round(thread.beatAgeMs()),
    tasks: [...thread.tasks.values()].map(({ pending, startedMs }) => ({
      what: pending.what,
      acntid: pending.acntid,
      runSeconds: Math.round((nowMs - startedMs) / 1000),
    })),
  }));
}

function hostsOf({ running, kept, servers }: Loop): HostStatus[] {
  const rests = new Map(servers.list().map((health) => [health.server, health]));
  const names = new Set([...running.map(({ server }) => server ?? ''), ...kept.list.map(({ server }) => server)]);
  for (const { server, failureCount } of servers.list()) if (failureCount > 0) names.add(server);
  return [...names].sort().map((server) => {
    const passes = running.filter((task) => task.server === server);
    const health = rests.get(server);
    return {
      server,
      passes: passes.length,
      connections: passes.reduce((sum, { connections }) => sum + connections, 0),
      kept: kept.list.filter((entry) => entry.server === server).length,
      rests:
        health && health.failureCount > 0
          ? { until: new Date(health.retryMs ?? 0).toISOString(), error: health.lastError ?? '' }
          : null,
    };
  });
}
