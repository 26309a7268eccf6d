/**
 * Connections that stay logged in for a short while between tasks, so that mails which follow each other need not connect anew.
 * One pool a thread. Nobody shares a connection: it is taken, used, and given back.
 */
import type { SmtpSession } from './session.ts';

export interface Taken {
  readonly session: SmtpSession;
  /** It has been idle: the server may have dropped it without a word. */
  readonly wasIdle: boolean;
}

export interface SmtpPool {
  /** `key` says whose it is; a change of server or login is another key. Throws what `open` throws. */
  take(key: string, open: () => Promise<SmtpSession>): Promise<Taken>;
  /** A broken one is closed. */
  give(key: string, session: SmtpSession): void;
  close(): Promise<void>;
}

/** Servers wait five minutes for a command (RFC 5321 4.5.3.2.7), people’s patience with held connections is shorter. */
const idleMs = 15_000;
/** Of one key: what a burst leaves behind is not kept. */
const idleCountMax = 2;

interface Idle {
  readonly session: SmtpSession;
  readonly timer: NodeJS.Timeout;
}

export function createSmtpPool(): SmtpPool {
  const idle = new Map<string, Idle[]>();
  const closing = new Set<Promise<void>>();
  let isClosed = false;

  const dismiss = (session: SmtpSession): void => {
    const closed = session.close();
    closing.add(closed);
    void closed.finally(() => closing.delete(closed));
  };
  const remove = (key: string, gone: SmtpSession): void => {
    const left = (idle.get(key) ?? []).filter(({ session }) => session !== gone);
    if (left.length === 0) idle.delete(key);
    else idle.set(key, left);
  };
  const takeIdle = (key: string): SmtpSession | null => {
    for (const { session, timer } of idle.get(key) ?? []) {
      clearTimeout(timer);
      remove(key, session);
      if (session.isUsable) return session;
    }
    return null;
  };
  return {
    async take(key, open) {
      const session = takeIdle(key);
      return session === null ? { session: await open(), wasIdle: false } : { session, wasIdle: true };
    },
    give(key, session) {
      const kept = idle.get(key) ?? [];
      if (isClosed || !session.isUsable || kept.length >= idleCountMax) return dismiss(session);
      const timer = setTimeout(() => {
        remove(key, session);
        dismiss(session);
      }, idleMs);
      timer.unref();
      idle.set(key, [...kept, { session, timer }]);
    },
    async close() {
      isClosed = true;
      for (const entries of idle.values())
        for (const { session, timer } of entries) {
          clearTimeout(timer);
          dismiss(session);
        }
      idle.clear();
      await Promise.all(closing);
    },
  };
}
