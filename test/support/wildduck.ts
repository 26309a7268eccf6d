/**
 * What WildDuck speaks IMAP with (its imap-core), over accounts in memory instead of its database: CONDSTORE without QRESYNC, folder
 * names in UTF-8 (UTF8=ACCEPT), no LIST-STATUS; it takes mail apart and puts it together again.
 */
import type { Server } from 'node:net';
import { freePort } from './dovecot.ts';
import { connectImap, type ImapClient } from './imap-client.ts';
import { type InteropServer, listAll } from './interop-server.ts';
import { installPackage } from './npm-packages.ts';

interface Message {
  readonly uid: number;
  readonly modseq: number;
  readonly flags: readonly string[];
  readonly idate: Date;
  readonly mimeTree: unknown;
  readonly size: number;
}

interface Mailbox {
  readonly _id: string;
  path: string;
  readonly uidValidity: number;
  uidNext: number;
  modifyIndex: number;
  messages: Message[];
}

interface Session {
  readonly user: { readonly id: string };
  readonly selected: { readonly condstoreEnabled: boolean };
  readonly writeStream: { write(data: unknown, done?: () => void): void };
  formatResponse(command: string, uid: number, data?: object): unknown;
  getQueryResponse(query: unknown, message: Message, options: object): unknown;
  matchSearchQuery(message: Message, query: unknown, done: (error: unknown, isMatch: boolean) => void): void;
  isUTF8Enabled(): boolean;
}

/** True, or the response code of a NO. */
type Done = (error: Error | null, result?: unknown, info?: object) => void;

interface Update {
  readonly messages: readonly number[];
  readonly isUid: boolean;
  readonly silent: boolean;
  readonly action: 'set' | 'add' | 'remove';
  readonly value: readonly string[];
}

interface Query {
  readonly messages: readonly number[];
  readonly query: unknown;
  readonly changedSince: number;
}

interface Package {
  readonly IMAPServer: new (options: object) => Server & { readonly server: Server };
  readonly imapHandler: { readonly compileStream: (response: unknown) => unknown };
}

interface Indexer {
  parseMimeTree(raw: Buffer): unknown;
  getSize(tree: unknown): number;
}

export async function startWildDuck(): Promise<InteropServer> {
  const load = installPackage('wildduck', '1.46.1');
  const { IMAPServer, imapHandler } = load('wildduck/imap-core') as Package;
  const Indexer = load('wildduck/imap-core/lib/indexer/indexer') as new () => Indexer;
  const server = new IMAPServer({ secure: false, disableSTARTTLS: true, enableCompression: true, logger: false });
  // Connections that are killed.
  server.on('error', () => undefined);
  // Else its answers, written in pieces, wait 40 ms for the client's kernel.
  server.server.on('connection', (socket) => socket.setNoDelay(true));
  Object.assign(server, { notifier }, folderHandlers(), messageHandlers(new Indexer(), imapHandler));
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  const client = (user: string): Promise<ImapClient> => connectImap(port, user, 'pw');
  return {
    name: 'WildDuck',
    port,
    client,
    listing: (user) => listAll(client, user),
    prefix: '',
    delimiter: '/',
    hasKeywords: true,
    keepsUidValidityOnRename: true,
    changeUidValidity: null,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Tells nobody of what happens in an open folder: it is opened again for that. */
const notifier = { addListener: () => undefined, removeListener: () => undefined };

const accounts = new Map<string, Map<string, Mailbox>>();
let madeCount = 0;

function foldersOf({ user }: Session): Map<string, Mailbox> {
  const folders = accounts.get(user.id) ?? new Map([['INBOX', makeFolder('INBOX')]]);
  accounts.set(user.id, folders);
  return folders;
}

function makeFolder(path: string): Mailbox {
  madeCount += 1;
  return { _id: `${madeCount}`, path, uidValidity: 1000 + madeCount, uidNext: 1, modifyIndex: 0, messages: [] };
}

const byId = (session: Session, id: string): Mailbox | undefined =>
  [...foldersOf(session).values()].find(({ _id }) => _id === id);

function add(folder: Mailbox, message: Omit<Message, 'uid' | 'modseq'>): number {
  const uid = folder.uidNext;
  folder.uidNext += 1;
  folder.modifyIndex += 1;
  folder.messages.push({ ...message, uid, modseq: folder.modifyIndex });
  return uid;
}

const folderHandlers = () => ({
  onAuth({ username, password }: { username: string; password: string }, _session: Session, done: Done) {
    if (password === 'pw') done(null, { user: { id: username, username } });
    else done(null);
  },
  onList: (_query: string, session: Session, done: Done) => done(null, [...foldersOf(session).values()]),
  onCreate(path: string, session: Session, done: Done) {
    const folders = foldersOf(session);
    if (folders.has(path)) return done(null, 'ALREADYEXISTS');
    folders.set(path, makeFolder(path));
    done(null, true);
  },
  onRename(path: string, to: string, session: Session, done: Done) {
    const folders = foldersOf(session);
    const folder = folders.get(path);
    if (folder === undefined || folders.has(to)) return done(null, 'CANNOT');
    folders.delete(path);
    folder.path = to;
    folders.set(to, folder);
    done(null, true);
  },
  onDelete: (path: string, session: Session, done: Done) =>
    done(null, foldersOf(session).delete(path) || 'NONEXISTENT'),
  onOpen(path: string, session: Session, done: Done) {
    const folder = foldersOf(session).get(path);
    if (folder === undefined) return done(null, 'NONEXISTENT');
    done(null, { ...folder, uidList: folder.messages.map(({ uid }) => uid) });
  },
  onStatus(path: string, session: Session, done: Done) {
    const folder = foldersOf(session).get(path);
    if (folder === undefined) return done(null, 'NONEXISTENT');
    const { messages, uidNext, uidValidity, modifyIndex } = folder;
    const unseen = messages.filter(({ flags }) => !flags.includes('\\Seen')).length;
    done(null, { messages: messages.length, uidNext, uidValidity, highestModseq: modifyIndex, unseen });
  },
});

const messageHandlers = (indexer: Indexer, { compileStream }: Package['imapHandler']) => ({
  onAppend(path: string, flags: string[], date: string, raw: Buffer, session: Session, done: Done) {
    const folder = foldersOf(session).get(path);
    if (folder === undefined) return done(null, 'TRYCREATE');
    const mimeTree = indexer.parseMimeTree(raw);
    const idate = date ? new Date(date) : new Date();
    const uid = add(folder, { flags, idate, mimeTree, size: indexer.getSize(mimeTree) });
    done(null, true, { uidValidity: folder.uidValidity, uid });
  },
  onStore(id: string, update: Update, session: Session, done: Done) {
    const folder = byId(session, id);
    if (folder === undefined) return done(null, 'NONEXISTENT');
    folder.messages = folder.messages.map((message) => {
      const flags = changedFlags(message.flags, update);
      if (!update.messages.includes(message.uid) || flags.join() === message.flags.join()) return message;
      folder.modifyIndex += 1;
      return { ...message, flags, modseq: folder.modifyIndex };
    });
    done(null, true, []);
  },
  onExpunge(id: string, update: Update, session: Session, done: Done) {
    const folder = byId(session, id);
    if (folder === undefined) return done(null, 'NONEXISTENT');
    const isGone = ({ uid, flags }: Message): boolean =>
      flags.includes('\\Deleted') && (!update.isUid || update.messages.includes(uid));
    for (const { uid } of folder.messages.filter(isGone)) {
      folder.modifyIndex += 1;
      const told = session.formatResponse('EXPUNGE', uid);
      if (!update.silent) session.writeStream.write(told);
    }
    folder.messages = folder.messages.filter((message) => !isGone(message));
    done(null, true);
  },
  onCopy(
    _connection: unknown,
    id: string,
    { destination, messages }: Update & { destination: string },
    session: Session,
    done: Done,
  ) {
    const from = byId(session, id);
    const to = foldersOf(session).get(destination);
    if (from === undefined || to === undefined) return done(null, 'TRYCREATE');
    const copied = from.messages.filter(({ uid }) => messages.includes(uid));
    const destinationUid = copied.map((message) => add(to, message));
    done(null, true, { uidValidity: to.uidValidity, sourceUid: copied.map(({ uid }) => uid), destinationUid });
  },
  async onFetch(id: string, { messages, query, changedSince }: Query, session: Session, done: Done) {
    const acceptUTF8Enabled = session.isUTF8Enabled();
    for (const message of byId(session, id)?.messages ?? []) {
      if (!messages.includes(message.uid) || message.modseq <= changedSince) continue;
      const values = session.getQueryResponse(query, message, { acceptUTF8Enabled });
      const row = compileStream(session.formatResponse('FETCH', message.uid, { query, values }));
      await new Promise<void>((resolve) => session.writeStream.write(row, resolve));
    }
    done(null, true, {});
  },
  async onSearch(id: string, { query }: Query, session: Session, done: Done) {
    const uidList: number[] = [];
    for (const message of byId(session, id)?.messages ?? []) {
      const isFound = await new Promise<boolean>((resolve) =>
        session.matchSearchQuery(message, query, (_error, isMatch) => resolve(isMatch)),
      );
      if (isFound) uidList.push(message.uid);
    }
    done(null, { uidList, highestModseq: 0 });
  },
});

function changedFlags(flags: readonly string[], { action, value }: Update): string[] {
  if (action === 'set') return [...value];
  if (action === 'add') return [...new Set([...flags, ...value])];
  return flags.filter((flag) => !value.includes(flag));
}
