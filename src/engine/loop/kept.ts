/**
 * Which accounts are worth a connection between passes, within half of what their host allows: users who are logged in have
 * their INBOX watched; what is due again soon stays connected as long as nobody better wants the place.
 */
import type { Config } from '../../config/schema.ts';
import type { KeepWish } from '../../sync/pass.ts';
import type { Kept } from '../pick/situation.ts';
import { keptCountMax } from '../pick.ts';
import type { Rules, ScheduledAccount } from '../schedule/account.ts';
import { isPresent } from '../schedule/presence.ts';

export interface KeptConnections {
  readonly list: readonly Kept[];
  /** Asked at the start of a pass: what becomes of its connection. The place is held until `note` or `drop`. */
  wish(account: ScheduledAccount, nowMs: number): KeepWish;
  /** Its user came while the pass was under way: the next one may watch. */
  couldWatch(account: ScheduledAccount, nowMs: number): boolean;
  note(acntid: number, server: string, wish: KeepWish, nowMs: number): void;
  /** It was taken, released or lost. */
  drop(acntid: number): void;
  /** Watched accounts. */
  watched(): number[];
  /** Open for longer than the next pass should have taken. */
  outdated(nowMs: number): number[];
}

export interface KeptOptions {
  readonly config: () => Config;
  readonly rules: () => Rules;
  /** Closes the connection of an account that is already dropped. */
  readonly release: (acntid: number) => void;
}

/** A server may end a connection that is quiet for 30 minutes (RFC 9051 5.4); logging in again costs ten round trips. */
const keepSecondsMax = 600;

interface Entry extends Kept {
  readonly isWatched: boolean;
  readonly sinceMs: number;
}

const hostOf = (server: string): string => server.slice(0, server.lastIndexOf(':'));

export function createKept({ config, rules, release }: KeptOptions): KeptConnections {
  const entries = new Map<number, Entry>();
  /** Of passes under way. */
  const promised = new Map<number, Entry>();
  const onHost = (server: string): Entry[] =>
    [...entries.values(), ...promised.values()].filter((entry) => hostOf(entry.server) === hostOf(server));

  /** A connection that nobody watches makes room for one that somebody does. */
  const makeRoom = (server: string, isWatched: boolean): boolean => {
    if (hasRoom(server)) return true;
    const lesser = isWatched
      ? onHost(server).find((entry) => !entry.isWatched && entries.has(entry.acntid))
      : undefined;
    if (!lesser) return false;
    entries.delete(lesser.acntid);
    release(lesser.acntid);
    return true;
  };
  const isWanted = (account: ScheduledAccount, nowMs: number): boolean =>
    config().EMAIL_IDLE_ENABLED && isPresent(account, rules().presenceSeconds, nowMs);
  const hasRoom = (server: string): boolean =>
    onHost(server).length < keptCountMax(config().BG_MAX_CONNECTIONS_PER_HOST);

  return {
    get list() {
      return [...entries.values()];
    },
    wish(account, nowMs) {
      const { presenceSeconds, recentSeconds, recentSecondsAway } = rules();
      const isThere = isPresent(account, presenceSeconds, nowMs);
      const isWatched = isWanted(account, nowMs);
      if (!isWatched && (isThere ? recentSeconds : recentSecondsAway) > keepSecondsMax) return 'no';
      if (!makeRoom(account.server, isWatched)) return 'no';
      const { acntid, server } = account;
      promised.set(acntid, { acntid, server, isWatched, sinceMs: nowMs });
      return isWatched ? 'watch' : 'open';
    },
    couldWatch: (account, nowMs) => isWanted(account, nowMs) && hasRoom(account.server),
    note(acntid, server, wish, nowMs) {
      promised.delete(acntid);
      entries.set(acntid, { acntid, server, isWatched: wish === 'watch', sinceMs: nowMs });
    },
    drop(acntid) {
      promised.delete(acntid);
      entries.delete(acntid);
    },
    outdated: (nowMs) =>
      [...entries.values()]
        .filter(({ isWatched, sinceMs }) => !isWatched && nowMs - sinceMs > 2 * keepSecondsMax * 1000)
        .map(({ acntid }) => acntid),
    watched: () => [...entries.values()].filter(({ isWatched }) => isWatched).map(({ acntid }) => acntid),
  };
}
