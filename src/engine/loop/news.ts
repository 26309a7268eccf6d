/**
 * What applications write is seen soon: several times a second one number tells whether anybody has committed anything; only
 * then the questions are asked, each of them an index look-up. Nothing is missed by a crash: the engine's start looks at all.
 */
import { type Clock, toInstant, toMs } from '../../base/clock.ts';
import { asEngineError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Store } from '../../store/store.ts';
import { takeArrivals } from '../schedule/presence.ts';

export interface NewsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly presenceSeconds: () => number;
  /** Accounts that somebody changed, or whose user went away. */
  readonly onChanged: (acntids: readonly number[]) => Promise<void>;
  /** Accounts whose user has just come. */
  readonly onArrived: (acntids: readonly number[]) => Promise<void>;
  /** Somebody committed something: the outbox may have work. */
  readonly onCommit: () => Promise<void>;
}

export interface News {
  /** Who is logged in is known from here on. */
  begin(): Promise<void>;
  stop(): Promise<void>;
}

/** Mail in the outbox is seen this soon; the question costs some microseconds. */
const pollMs = 150;
/** Applications stamp with their own clock, and commit later. */
const overlapMs = 10_000;

export function createNews(options: NewsOptions): News {
  const { store, clock, log, presenceSeconds, onChanged, onArrived, onCommit } = options;
  const known = new Map<string, number>();
  let lastVersion = Number.NaN;
  let seenMs = 0;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let asking: Promise<void> = Promise.resolve();

  const lookAtPresence = async (): Promise<string[]> => {
    const nowMs = clock().getTime();
    const since = toInstant(new Date(Math.max(seenMs - overlapMs, nowMs - presenceSeconds() * 1000)));
    const seen = await store.presenceSince(since);
    seenMs = nowMs;
    // 0: an application wrote what is no time.
    const seenAtMs = new Map([...seen].map(([userId, at]) => [userId, toMs(at) ?? 0]));
    return takeArrivals(known, seenAtMs, presenceSeconds(), nowMs);
  };
  const ask = async (): Promise<void> => {
    const version = await store.version();
    if (version === lastVersion) return;
    lastVersion = version;
    await store.takeNewPasswords();
    const changed = await store.takeChangedAccounts();
    if (changed.length > 0) await onChanged(changed);
    const arrived = await store.accountsOfUsers(await lookAtPresence());
    if (arrived.length > 0) await onArrived(arrived);
    await onCommit();
  };
  const poll = async (): Promise<void> => {
    try {
      await ask();
    } catch (error) {
      lastVersion = Number.NaN;
      log.error(`what applications wrote could not be read: ${asEngineError(error).message}`);
    }
    if (isStopped) return;
    timer = setTimeout(() => {
      asking = poll();
    }, pollMs);
  };
  return {
    async begin() {
      await lookAtPresence();
      asking = poll();
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await asking;
    },
  };
}
