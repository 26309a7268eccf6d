/**
 * The IMAP connection that writes: looks for a mail by its headers, appends a copy, sets a flag. Beside the read-only session of
 * sync, and with its guards: every command has a deadline, a refusal is an error (imapflow resolves `false` for some), nothing
 * else is changed on the server. APPEND cannot be taken back: look before, and write down that it was begun.
 */
import type { ImapFlow } from 'imapflow';
import { withDeadline } from '../base/abort.ts';
import { EngineError } from '../base/errors.ts';
import { createRunner } from './command.ts';
import { connect } from './connect.ts';
import { markListed } from './corrections.ts';
import { toEngineError } from './failure.ts';
import { libraryName } from './library-name.ts';
import { listFolders } from './listing.ts';
import type { FolderListing, SessionOptions } from './session.ts';

export interface HeaderWish {
  readonly name: string;
  readonly value: string;
}

export interface FilingSession {
  /** Names and roles only. */
  listFolders(): Promise<FolderListing>;
  /**
   * Is there a message with one of these headers, received since that day? Asked one by one: the first is cheap for every server,
   * the others may make it read what it has not indexed, which is why `since` bounds them. Throws folder_missing, and
   * protocol_violation where the server's answer could not be read.
   */
  hasMessage(path: string, headers: readonly HeaderWish[], since: Date): Promise<boolean>;
  /** One that exists already is as good. Throws command_refused. */
  createFolder(path: string): Promise<void>;
  /** \Seen, with its date. Throws command_refused (no room, too large for the server). */
  append(path: string, raw: Uint8Array, at: Date): Promise<void>;
  /** False: the folder has another UIDVALIDITY by now, the message is gone, or the folder keeps no such flag. */
  addFlag(
    path: string,
    message: { readonly uidValidity: number; readonly uid: number },
    flag: string,
  ): Promise<boolean>;
  /** LOGOUT, bounded; never throws. */
  close(): Promise<void>;
}

export type OpenFiling = (options: SessionOptions) => Promise<FilingSession>;

const logoutMs = 3000;
const bytesPerMib = 1024 * 1024;
const ignore = (): void => undefined;

export const openFiling: OpenFiling = async (options) => {
  const { client, limit, droppedCount } = await connect(options, { onVanished: ignore, onClosed: ignore });
  const run = <T>(what: string, work: () => Promise<T>, extraMs = 0): Promise<T> =>
    bounded(options, client, what, work, extraMs);
  const runList = createRunner(options, client);
  const { wireNames } = options;
  const nameOf = (path: string): string => libraryName(client, wireNames, path);
  const list = () => listFolders({ client, withStatus: false, run: runList, droppedCount, wireNames });
  const openAs = (name: string, path: string, readOnly: boolean) =>
    run(`${readOnly ? 'EXAMINE' : 'SELECT'} ${path}`, () => {
      markListed(client, name);
      return client.mailboxOpen(name, { readOnly });
    });
  /** The path comes from the store: that the server lists it in another spelling is seen only when it is listed. */
  const open = async (path: string, readOnly: boolean) => {
    const name = nameOf(path);
    try {
      return await openAs(name, path, readOnly);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await list();
      if (nameOf(path) === name) throw error;
      return openAs(nameOf(path), path, readOnly);
    }
  };
  return {
    listFolders: list,
    async hasMessage(path, headers, since) {
      const droppedBefore = droppedCount();
      const { exists } = await open(path, true);
      let isFound = false;
      const look = async (uids: string, { name, value }: HeaderWish): Promise<void> => {
        if (isFound) return;
        const range = uids === '1:*' ? {} : { uid: uids };
        const query = { ...range, since, header: { [name]: value } };
        isFound = refused('SEARCH', await run('SEARCH', () => client.search(query, { uid: true }))).length > 0;
      };
      for (const header of exists === 0 ? [] : headers) await limit.askAll({ first: 1 }, (uids) => look(uids, header));
      if (!isFound && droppedCount() > droppedBefore) throw unreadable(path);
      return isFound;
    },
    async createFolder(path) {
      refused('CREATE', await run(`CREATE ${path}`, () => client.mailboxCreate(nameOf(path))));
    },
    async append(path, raw, at) {
      const extraMs = (raw.length / bytesPerMib) * options.transferTimeoutMsPerMib;
      const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
      refused('APPEND', await run(`APPEND ${path}`, () => client.append(nameOf(path), bytes, ['\\Seen'], at), extraMs));
    },
    async addFlag(path, { uidValidity, uid }, flag) {
      const mailbox = await open(path, false);
      if (Number(mailbox.uidValidity) !== uidValidity) return false;
      const uids = refused('SEARCH', await run('SEARCH', () => client.search({ uid: `${uid}` }, { uid: true })));
      if (!uids.includes(uid) || !keepsFlag(mailbox.permanentFlags, flag)) return false;
      const range = `${uid}`;
      refused('STORE', await run('STORE', () => client.messageFlagsAdd(range, [flag], { uid: true, silent: true })));
      return true;
    },
    close: () => logout(client),
  };
};

const isRefusal = (error: unknown): boolean =>
  error instanceof EngineError && (error.code === 'folder_missing' || error.code === 'command_refused');

/** The answer may have named the copy: a second one would be made, or the mail sent once more. */
const unreadable = (path: string): EngineError =>
  new EngineError('protocol_violation', `what the server found in ${path} could not be read`, { scope: 'folder' });

/** imapflow resolves `false` or nothing where the server said NO. */
function refused<T>(what: string, result: T | false | undefined): T {
  if (result === false || result === undefined) throw new EngineError('command_refused', `${what} was refused`);
  return result;
}

/** A server that does not say keeps what it is given (RFC 9051 7.1, PERMANENTFLAGS). */
function keepsFlag(permanent: ReadonlySet<string> | undefined, flag: string): boolean {
  return permanent === undefined || [...permanent].some((one) => one.toLowerCase() === flag.toLowerCase());
}

async function bounded<T>(
  options: SessionOptions,
  client: ImapFlow,
  what: string,
  work: () => Promise<T>,
  extraMs: number,
): Promise<T> {
  if (!client.usable) throw new EngineError('connection_lost', what);
  const { commandTimeoutMs, signal } = options;
  try {
    return await withDeadline(work(), { ms: commandTimeoutMs + extraMs, onExpire: () => client.close(), signal, what });
  } catch (error) {
    throw toEngineError(error, { what, nowMs: Date.now() });
  }
}

async function logout(client: ImapFlow): Promise<void> {
  const timer = setTimeout(() => client.close(), logoutMs);
  await Promise.allSettled([client.usable ? client.logout() : Promise.resolve()]);
  clearTimeout(timer);
  client.close();
}
