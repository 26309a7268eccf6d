/** One connection of a drain, as long as it lasts: opened on demand, replaced when it is worn out or broken, given back at the end. */
import { asEngineError, type EngineError } from '../base/errors.ts';
import type { SmtpSession } from '../smtp/session.ts';
import type { Team } from './team.ts';

export interface Line {
  session(): SmtpSession;
  /** A usable connection, if there is none; what prevented it otherwise. */
  open(): Promise<EngineError | null>;
  reopen(): Promise<EngineError | null>;
  mayBeStale(): boolean;
  markUsed(): void;
  end(): void;
}

export function createLine(team: Team): Line {
  const { input } = team;
  let current: SmtpSession | null = null;
  let isFresh = false;
  const drop = (): SmtpSession | null => {
    const dropped = current;
    if (dropped) team.openCount -= 1;
    current = null;
    return dropped;
  };
  const isWorn = (session: SmtpSession): boolean =>
    !session.isUsable || session.sentCount >= input.limits.messagesPerConnection;
  const connect = async (): Promise<EngineError | null> => {
    try {
      const { session, wasIdle } = await input.take();
      current = session;
      team.openCount += 1;
      isFresh = !wasIdle;
      team.onOpened();
      return null;
    } catch (error) {
      return accountFailure(error);
    }
  };
  return {
    session: () => current as SmtpSession,
    async open() {
      if (current && isWorn(current)) await drop()?.close();
      return current ? null : connect();
    },
    async reopen() {
      drop()?.abort();
      return connect();
    },
    mayBeStale: () => !isFresh,
    markUsed() {
      isFresh = false;
    },
    end() {
      const last = drop();
      if (last) input.give(last);
    },
  };
}

/** What is no trouble of the account (a bug, the store) ends the task. */
function accountFailure(error: unknown): EngineError {
  const failure = asEngineError(error);
  if (failure.scope === 'account' || failure.code === 'aborted') return failure;
  throw failure;
}
