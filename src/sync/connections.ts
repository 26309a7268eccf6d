/**
 * The connections of one pass over one account: the one kept from the last pass, or a new one; others on demand; reopened when
 * broken; at the end all are closed but the first, where that is to be kept. A pass that is cancelled cuts them all.
 */
import { throwIfAborted } from '../base/abort.ts';
import { logInWith } from '../base/credentials.ts';
import { asEngineError, type ErrorRecord, fromErrorRecord } from '../base/errors.ts';
import type { ImapSession, SessionOptions } from '../imap/session.ts';
import type { Account } from '../store/store.ts';
import { bulkBytesMax } from './fetch-window.ts';
import type { KeepWish, Ports } from './pass.ts';

/** So often a pass replaces broken connections before the account is backed off. */
const reopenCountMax = 12;
/** A message may be larger than the server said when it was asked for what is larger (bulkBytesMax): some slack. */
const literalBytesMax = 2 * bulkBytesMax;

export interface Connection {
  readonly session: ImapSession;
  /** It was open before this pass: that it broke meanwhile is no failure of the server. */
  readonly wasKept: boolean;
  /** Throws `failure` again when the account has used up its reconnections, `aborted` when the pass was cancelled. */
  reopen(failure: ErrorRecord): Promise<void>;
}

export interface Connections {
  first(): Promise<Connection>;
  /** Works on a further connection; where the server grants none, it does nothing: the others do the work. */
  extra(work: (connection: Connection) => Promise<void>): Promise<void>;
  /** True: the first one stays open for the next pass. */
  close(wish: KeepWish): Promise<boolean>;
}

export function createConnections(ports: Ports, account: Account): Connections {
  const login = loginOf(account);
  const kept = ports.kept.take(account.acntid, login);
  const wireNames = kept?.wireNames ?? new Map<string, string>();
  const sessions = new Set<ImapSession>();
  let main: Connection | null = null;
  let reopenCount = 0;
  const cut = (): void => {
    for (const session of sessions) session.abort();
  };
  ports.signal.addEventListener('abort', cut, { once: true });

  const logIn = async (more: Pick<SessionOptions, 'listsFirst'> = {}): Promise<ImapSession> => {
    throwIfAborted(ports.signal);
    const session = await openFor(ports, account, { wireNames, ...more });
    sessions.add(session);
    return session;
  };
  const connect = (opened: ImapSession, wasKept: boolean): Connection => {
    let session = opened;
    return {
      get session() {
        return session;
      },
      wasKept,
      async reopen(failure) {
        session.abort();
        sessions.delete(session);
        reopenCount += 1;
        if (reopenCount > reopenCountMax) throw fromErrorRecord(failure);
        session = await logIn();
      },
    };
  };
  return {
    async first() {
      if (kept) sessions.add(kept.session);
      main = connect(kept?.session ?? (await logIn({ listsFirst: true })), kept !== undefined);
      return main;
    },
    async extra(work) {
      const connection = await connectOrNone(async () => connect(await logIn(), false), ports, account);
      if (connection) await work(connection);
    },
    async close(wish) {
      ports.signal.removeEventListener('abort', cut);
      const session = main?.session;
      const isKept = wish !== 'no' && session?.isUsable === true && !ports.signal.aborted;
      if (isKept && session) {
        sessions.delete(session);
        ports.kept.keep(account.acntid, { session, wireNames, login }, wish === 'watch');
      }
      await Promise.all([...sessions].map((other) => other.close()));
      return isKept;
    },
  };
}

const loginOf = ({ imap }: Account): string => `${imap.security}://${imap.user}@${imap.host}:${imap.port}`;

async function connectOrNone(
  connect: () => Promise<Connection>,
  ports: Ports,
  account: Account,
): Promise<Connection | null> {
  try {
    return await connect();
  } catch (error) {
    ports.log.debug(`no further connection: ${asEngineError(error).message}`, { acntid: account.acntid });
    return null;
  }
}

async function openFor(
  ports: Ports,
  account: Account,
  own: Pick<SessionOptions, 'wireNames' | 'listsFirst'>,
): Promise<ImapSession> {
  return logInWith(ports.credentialsOf, { acntid: account.acntid, protocol: 'imap' }, (credentials) =>
    ports.openSession({
      ...account.imap,
      credentials,
      link: ports.linkTo(account.imap.host),
      ...own,
      literalBytesMax,
      room: ports.room,
      commandTimeoutMs: ports.limits.commandTimeoutMs,
      transferTimeoutMsPerMib: ports.limits.transferTimeoutMsPerMib,
      signal: ports.signal,
      onWarning: (text) => ports.log.warn(text, { acntid: account.acntid }),
    }),
  );
}
