/** The connections of one pass over one account: opened on demand, reopened when broken, all closed at the end. */
import { asEngineError, type ErrorRecord, fromErrorRecord } from '../base/errors.ts';
import type { ImapSession } from '../imap/session.ts';
import type { Account } from '../store/store.ts';
import { bulkBytesMax } from './fetch-window.ts';
import type { Ports } from './pass.ts';

/** So often a pass replaces broken connections before the account is backed off. */
const reopenCountMax = 12;
/** A message may be larger than the server said when it was asked for what is larger (bulkBytesMax): some slack. */
const literalBytesMax = 2 * bulkBytesMax;

export interface Connection {
  readonly session: ImapSession;
  /** Throws `failure` again when the account has used up its reconnections. */
  reopen(failure: ErrorRecord): Promise<void>;
}

export interface Connections {
  open(): Promise<Connection>;
  /** Works on a further connection; where the server grants none, it does nothing: the others do the work. */
  extra(work: (connection: Connection) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export function createConnections(ports: Ports, account: Account): Connections {
  const sessions = new Set<ImapSession>();
  const wireNames = new Map<string, string>();
  let reopenCount = 0;

  const login = async (): Promise<ImapSession> => {
    const session = await openFor(ports, account, wireNames);
    sessions.add(session);
    return session;
  };
  const open = async (): Promise<Connection> => {
    let session = await login();
    return {
      get session() {
        return session;
      },
      async reopen(failure) {
        session.abort();
        sessions.delete(session);
        reopenCount += 1;
        if (reopenCount > reopenCountMax) throw fromErrorRecord(failure);
        session = await login();
      },
    };
  };
  return {
    open,
    async extra(work) {
      const connection = await openOrNone(open, ports, account);
      if (connection) await work(connection);
    },
    async close() {
      await Promise.all([...sessions].map((session) => session.close()));
    },
  };
}

async function openOrNone(open: () => Promise<Connection>, ports: Ports, account: Account): Promise<Connection | null> {
  try {
    return await open();
  } catch (error) {
    ports.log.debug(`no further connection: ${asEngineError(error).message}`, { acntid: account.acntid });
    return null;
  }
}

async function openFor(ports: Ports, account: Account, wireNames: Map<string, string>): Promise<ImapSession> {
  return ports.openSession({
    ...account.imap,
    credentials: await ports.credentialsOf(account.acntid, 'imap'),
    link: ports.linkTo(account.imap.host),
    wireNames,
    literalBytesMax,
    commandTimeoutMs: ports.limits.commandTimeoutMs,
    transferTimeoutMsPerMib: ports.limits.transferTimeoutMsPerMib,
    signal: ports.signal,
    onWarning: (text) => ports.log.warn(text, { acntid: account.acntid }),
  });
}
