/**
 * What a launch does when the lock is held. It ends at once beside a holder that beats; it watches one whose beat looks old, and
 * only when it saw it stand still for a minute itself does it end that process, and no other, and takes over (E12 without the
 * administrator). An engine of an older version is told to finish, and watched as any other while it does.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { freshMs, type Holder, type HolderRecord, isAlive, isFresh, lockFileOf } from './holder.ts';
import { acquireLock, type Lock } from './lock.ts';
import { lookAtHolder } from './look-at-holder.ts';
import { isNewer } from './version.ts';

export type LaunchAnswer =
  | { readonly kind: 'locked'; readonly lock: Lock }
  /** Somebody else works: nothing to do. */
  | { readonly kind: 'at-work'; readonly record: HolderRecord | null }
  /** The lock is held, and whoever holds it neither beats nor can be ended by us. */
  | { readonly kind: 'stuck'; readonly detail: string };

export interface LaunchOptions {
  readonly storeFile: string;
  readonly version: string;
  /** Ask the holder to finish; resolves when it was told, and to false when that can't be, or when it does not answer. */
  readonly askToStop: (control: string) => Promise<boolean>;
  readonly say: (text: string) => void;
  /** Tests shorten them. */
  readonly times?: Partial<LaunchTimes>;
}

export interface LaunchTimes {
  /** A beat so young needs no watching. */
  readonly freshMs: number;
  readonly watchMs: number;
  /** For the older engine to finish what it is sending. */
  readonly handOverMs: number;
  /** From SIGTERM to SIGKILL, and from that to giving up. */
  readonly endMs: number;
}

const usualTimes: LaunchTimes = { freshMs, watchMs: 60_000, handOverMs: 600_000, endMs: 5000 };
const lookMs = 250;

export async function launch(options: LaunchOptions): Promise<LaunchAnswer> {
  const times = { ...usualTimes, ...options.times };
  const lock = await acquireLock(lockFileOf(options.storeFile));
  if (lock) return { kind: 'locked', lock };
  const holder = lookAtHolder(options.storeFile);
  if (holder && isNewer(options.version, holder.record.version) && (await isToldToStop(options, holder.record)))
    return takeOverFromOlder(options, holder, times);
  if (holder && isFresh(holder, times.freshMs)) return { kind: 'at-work', record: holder.record };
  return watch(options, holder, times);
}

async function isToldToStop({ askToStop, say, version }: LaunchOptions, record: HolderRecord): Promise<boolean> {
  if (record.control === null || !(await askToStop(record.control))) return false;
  say(`version ${record.version} (process ${record.pid}) was asked to finish; version ${version} takes over`);
  return true;
}

/** It may finish for as long as it beats; it may also hang while it does. Another launch may be the one that takes over. */
async function takeOverFromOlder(options: LaunchOptions, holder: Holder, times: LaunchTimes): Promise<LaunchAnswer> {
  const endMs = performance.now() + times.handOverMs;
  let seen = holder;
  for (;;) {
    const answer = await watch(options, seen, times);
    const isStillIt = answer.kind === 'at-work' && answer.record?.pid === holder.record.pid;
    if (!isStillIt || performance.now() >= endMs) return answer;
    seen = lookAtHolder(options.storeFile) ?? seen;
  }
}

/** Ends as soon as the lock is free, or somebody shows life: another beat, another process, a record that was not there. */
async function watch(options: LaunchOptions, first: Holder | undefined, times: LaunchTimes): Promise<LaunchAnswer> {
  const endMs = performance.now() + times.watchMs;
  while (performance.now() < endMs) {
    const lock = await acquireLock(lockFileOf(options.storeFile));
    if (lock) return { kind: 'locked', lock };
    await wait(lookMs);
    const now = lookAtHolder(options.storeFile);
    if (now && !(first && isSameBeat(now, first))) return { kind: 'at-work', record: now.record };
  }
  return first
    ? endHolder(options, first, times)
    : { kind: 'stuck', detail: 'The process that holds it left no record.' };
}

const isSameBeat = (a: Holder, b: Holder): boolean =>
  a.beatAtMs === b.beatAtMs && a.record.pid === b.record.pid && a.record.startTicks === b.record.startTicks;

async function endHolder(options: LaunchOptions, { record }: Holder, times: LaunchTimes): Promise<LaunchAnswer> {
  const { pid } = record;
  options.say(`process ${pid} holds the lock and has not beaten for ${times.watchMs / 1000} s: it is ended`);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!endsProcess(record, signal))
      return { kind: 'stuck', detail: `Process ${pid} can't be ended: another user's.` };
    const lock = await lockWithin(options.storeFile, times.endMs);
    if (lock) return { kind: 'locked', lock };
    const now = lookAtHolder(options.storeFile);
    if (now && now.record.pid !== pid) return { kind: 'at-work', record: now.record };
  }
  return { kind: 'stuck', detail: `Process ${pid} does not end.` };
}

/** Only the process that was watched: its pid may be another's by now. True as well when it is gone. */
function endsProcess(record: HolderRecord, signal: NodeJS.Signals): boolean {
  if (!isAlive(record)) return true;
  try {
    process.kill(record.pid, signal);
    return true;
  } catch {
    return !isAlive(record); // not ours to signal
  }
}

async function lockWithin(storeFile: string, ms: number): Promise<Lock | null> {
  const endMs = performance.now() + ms;
  for (;;) {
    const lock = await acquireLock(lockFileOf(storeFile));
    if (lock || performance.now() >= endMs) return lock;
    await wait(lookMs);
  }
}
