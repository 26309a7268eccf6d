/**
 * Sessions that stay open between passes: a pass that finds one saves the login, and a kept session watches INBOX by IDLE. Which
 * accounts are worth a connection is the main thread's to decide (it counts them); here they are kept until the next pass takes
 * them, until they are released, or until they break.
 */
import type { ImapSession } from '../imap/session.ts';

export interface KeptSession {
  readonly session: ImapSession;
  /** Belongs to the session: odd folder names as the server spelt them. */
  readonly wireNames: Map<string, string>;
  /** Whom it logged in as, and where: an account that was changed since must log in again. */
  readonly login: string;
}

export interface KeptSessions {
  /** The account's session, if it is alive and of this login; it is the caller's from now on. */
  take(acntid: number, login: string): KeptSession | undefined;
  /** `isWatched`: INBOX, by IDLE. */
  keep(acntid: number, kept: KeptSession, isWatched: boolean): void;
  /** Logs out; does nothing for an account without one. */
  release(acntid: number): Promise<void>;
  close(): Promise<void>;
}

export interface KeptSessionsOptions {
  /** INBOX, which is watched, has changed. */
  readonly onStir: (acntid: number) => void;
  /** A kept session broke by itself: its connection no longer counts. */
  readonly onLost: (acntid: number) => void;
}

/** An IDLE that ends sooner was refused, or the server is not well: no further one on this session. */
const idleMsMin = 1000;

export function createKeptSessions({ onStir, onLost }: KeptSessionsOptions): KeptSessions {
  const sessions = new Map<number, KeptSession>();
  const drop = async (acntid: number): Promise<void> => {
    const kept = sessions.get(acntid);
    sessions.delete(acntid);
    await kept?.session.close();
  };

  const isKept = (acntid: number, kept: KeptSession): boolean => sessions.get(acntid) === kept;

  const watch = async (acntid: number, kept: KeptSession): Promise<void> => {
    while (isKept(acntid, kept) && kept.session.isUsable) {
      const startedMs = performance.now();
      await kept.session.watchInbox(() => {
        if (isKept(acntid, kept)) onStir(acntid);
      });
      if (performance.now() - startedMs < idleMsMin) return;
    }
  };
  const watchUntilTaken = async (acntid: number, kept: KeptSession): Promise<void> => {
    // What breaks the watch is the connection's trouble, and shows below.
    await Promise.allSettled([watch(acntid, kept)]);
    if (!isKept(acntid, kept) || kept.session.isUsable) return;
    sessions.delete(acntid);
    onLost(acntid);
  };

  return {
    take(acntid, login) {
      const kept = sessions.get(acntid);
      if (kept === undefined || kept.login !== login || !kept.session.isUsable) {
        void drop(acntid);
        return undefined;
      }
      sessions.delete(acntid);
      return kept;
    },
    keep(acntid, kept, isWatched) {
      void drop(acntid);
      sessions.set(acntid, kept);
      if (isWatched) void watchUntilTaken(acntid, kept);
    },
    release: drop,
    async close() {
      await Promise.all([...sessions.keys()].map(drop));
    },
  };
}
