/**
 * A scriptable IMAP server: answers honestly from its folders (fake-mailbox.ts) unless the scenario's script answers for it.
 * For faults that no real server shows on demand; everything else is tested on Dovecot.
 */
import { createServer, type Server, type Socket } from 'node:net';
import {
  addFlags,
  appendTo,
  type Command,
  type FakeFolder,
  fetchRows,
  folder,
  ledger,
  listParts,
  type Part,
  searchLine,
  selectParts,
  statusParts,
} from './fake-mailbox.ts';
import type { ListedFolder } from './imap-client.ts';

/** Undefined: answer honestly. `ending`: what becomes of the connection after these parts. */
export interface Scripted {
  readonly parts: readonly Part[];
  readonly ending?: 'close' | 'reset';
  /** A byte each so many ms, for as long as somebody listens. */
  readonly dripMs?: number;
  /** So many instead of one. */
  readonly dripBytes?: number;
}

export interface FakeOptions {
  readonly folders: FakeFolder[];
  /** Beside IMAP4rev1. Default: CONDSTORE, LIST-STATUS, ENABLE, UIDPLUS, SPECIAL-USE. */
  readonly capabilities?: readonly string[];
  readonly greeting?: string;
  /** Each answer comes so much later: the round trip of a long link. */
  readonly delayMs?: number;
  /** Called with the honest answer of each command; what it returns goes out instead. */
  readonly script?: (command: Command, honest: readonly Part[]) => Scripted | undefined;
}

export interface FakeImapServer {
  readonly port: number;
  readonly folders: FakeFolder[];
  script: FakeOptions['script'];
  /** All commands so far, without passwords' connection: `3 UID FETCH 1:5 (UID FLAGS)`. */
  readonly commands: string[];
  connectionCount: number;
  listing(): ListedFolder[];
  stop(): Promise<void>;
}

export const usualCapabilities = ['CONDSTORE', 'LIST-STATUS', 'ENABLE', 'UIDPLUS', 'SPECIAL-USE', 'NAMESPACE'];

export async function startFakeImap(options: FakeOptions): Promise<FakeImapServer> {
  const sockets = new Set<Socket>();
  const capabilities = ['IMAP4rev1', ...(options.capabilities ?? usualCapabilities)];
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    fake.connectionCount += 1;
    serve(socket, fake, { ...options, capabilities }, fake.connectionCount);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const fake: FakeImapServer = {
    port: typeof address === 'object' && address ? address.port : 0,
    folders: options.folders,
    script: options.script,
    commands: [],
    connectionCount: 0,
    listing: () => ledger(fake.folders),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

interface Session {
  folder: FakeFolder | null;
}

function serve(
  socket: Socket,
  fake: FakeImapServer,
  {
    capabilities,
    greeting,
    delayMs = 0,
  }: Pick<FakeOptions, 'greeting' | 'delayMs'> & { capabilities: readonly string[] },
  connection: number,
): void {
  const session: Session = { folder: null };
  // A client that was cut, or that cuts, is what many scenarios are about.
  socket.on('error', () => socket.destroy());
  // Else each answer in several parts would wait 40 ms for the client's kernel to acknowledge the first.
  socket.setNoDelay(true);
  socket.write(greeting ?? `* OK [CAPABILITY ${capabilities.join(' ')}] ready\r\n`);
  const lines = createLineReader(socket);
  const obey = (line: string): void => {
    const command = parse(line, connection, session.folder);
    fake.commands.push(`${connection} ${command.verb} ${command.args}`);
    const honest = answer(command, fake, capabilities, session);
    const scripted = fake.script?.({ ...command, folder: session.folder }, honest);
    if (scripted?.dripMs !== undefined) drip(socket, scripted.parts, scripted.dripMs, scripted.dripBytes);
    else for (const part of scripted?.parts ?? honest) socket.write(part);
    if (scripted?.ending === 'reset') socket.resetAndDestroy();
    else if (scripted?.ending === 'close' || command.verb === 'LOGOUT') socket.end();
  };
  socket.on('data', (data: Buffer) => {
    for (const line of lines.push(data)) {
      if (delayMs === 0) obey(line);
      else setTimeout(obey, delayMs, line);
    }
  });
}

function drip(socket: Socket, parts: readonly Part[], everyMs: number, count = 1): void {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
  let at = 0;
  const timer = setInterval(() => {
    socket.write(bytes.subarray(at, at + count));
    at += count;
    if (at >= bytes.length) clearInterval(timer);
  }, everyMs);
  socket.on('close', () => clearInterval(timer));
}

/** Lines as latin1; a literal is asked for and becomes a quoted part of its line. */
function createLineReader(socket: Socket): { push(data: Buffer): string[] } {
  let buffer = '';
  let line = '';
  let literal = -1;
  return {
    push(data) {
      buffer += data.toString('latin1');
      const lines: string[] = [];
      for (;;) {
        if (literal >= 0) {
          if (buffer.length < literal) return lines;
          line += `\u0001${buffer.slice(0, literal)}\u0001`;
          buffer = buffer.slice(literal);
          literal = -1;
        }
        const end = buffer.indexOf('\r\n');
        if (end < 0) return lines;
        line += buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        const size = /\{(\d+)(\+?)\}$/.exec(line);
        if (size) {
          line = line.slice(0, size.index);
          literal = Number(size[1]);
          if (size[2] === '') socket.write('+ go\r\n');
          continue;
        }
        lines.push(line);
        line = '';
      }
    },
  };
}

function parse(line: string, connection: number, folder: FakeFolder | null): Command {
  const [tag = '', first = '', ...rest] = line.split(' ');
  const isUid = first.toUpperCase() === 'UID';
  const verb = isUid ? `UID ${(rest.shift() ?? '').toUpperCase()}` : first.toUpperCase();
  return { tag, verb, args: rest.join(' '), connection, folder };
}

const argument = (text: string): string => {
  const literal = /^\u0001([\s\S]*?)\u0001/.exec(text);
  if (literal) return literal[1] ?? '';
  const string = /^"((?:[^"\\]|\\[\s\S])*)"/.exec(text);
  return string ? (string[1] ?? '').replace(/\\([\s\S])/g, '$1') : (text.split(' ')[0] ?? '');
};

function answer(command: Command, fake: FakeImapServer, capabilities: readonly string[], session: Session): Part[] {
  const { tag, verb, args } = command;
  const hasCondstore = capabilities.includes('CONDSTORE');
  const ok = `${tag} OK done\r\n`;
  const find = (): FakeFolder | undefined =>
    fake.folders.find(({ path }) => path === argument(args) || sameInbox(path, argument(args)));
  switch (verb) {
    case 'CAPABILITY':
      return [`* CAPABILITY ${capabilities.join(' ')}\r\n`, ok];
    case 'NAMESPACE':
      return ['* NAMESPACE (("" "/")) NIL NIL\r\n', ok];
    case 'ENABLE':
      return [`* ENABLED ${args}\r\n`, ok];
    case 'ID':
      return ['* ID NIL\r\n', ok];
    case 'LIST':
      return [...list(fake, args, hasCondstore), ok];
    case 'STATUS': {
      const found = find();
      return found ? [...statusParts(found, hasCondstore), ok] : [`${tag} NO [NONEXISTENT] no such folder\r\n`];
    }
    case 'SELECT':
    case 'EXAMINE': {
      const found = find();
      session.folder = found ?? null;
      return found
        ? [
            ...selectParts(found, hasCondstore),
            ...changedSince(found, args),
            `${tag} OK [READ-${verb === 'SELECT' ? 'WRITE' : 'ONLY'}] done\r\n`,
          ]
        : [`${tag} NO [NONEXISTENT] no such folder\r\n`];
    }
    case 'UID SEARCH':
      return session.folder ? [searchLine(session.folder, args), ok] : [`${tag} BAD nothing selected\r\n`];
    case 'UID FETCH':
      return session.folder
        ? [...fetchRows(session.folder, args, hasCondstore).flat(), ok]
        : [`${tag} BAD nothing selected\r\n`];
    case 'CREATE':
      fake.folders.push(folder(argument(args)));
      return [ok];
    case 'UID STORE':
      if (session.folder) addFlags(session.folder, args);
      return [ok];
    case 'APPEND': {
      const found = find();
      if (!found) return [`${tag} NO [TRYCREATE] no such folder\r\n`];
      const { uid } = appendTo(found, args);
      return [`${tag} OK [APPENDUID ${found.uidValidity} ${uid}] done\r\n`];
    }
    case 'LOGOUT':
      return ['* BYE see you\r\n', ok];
    default:
      return /^(LOGIN|NOOP|UNSELECT|CLOSE)$/.test(verb) ? [ok] : [`${tag} BAD unknown command\r\n`];
  }
}

/** QRESYNC (UIDVALIDITY MODSEQ): flags changed since; what vanished is for the scenario to say. */
function changedSince(folder: FakeFolder, args: string): Part[] {
  const modseq = /QRESYNC \(\d+ (\d+)/.exec(args)?.[1];
  return modseq === undefined ? [] : fetchRows(folder, `1:* (UID FLAGS) (CHANGEDSINCE ${modseq})`, true).flat();
}

const sameInbox = (a: string, b: string): boolean => a.toUpperCase() === 'INBOX' && b.toUpperCase() === 'INBOX';

function list(fake: FakeImapServer, args: string, hasCondstore: boolean): Part[] {
  if (args.startsWith('"" ""')) return ['* LIST (\\Noselect) "/" ""\r\n'];
  if (/LSUB/.test(args)) return [];
  const withStatus = /RETURN \(.*STATUS/i.test(args);
  return fake.folders.flatMap((entry) => [
    ...listParts(entry),
    ...(withStatus && !entry.attributes.includes('\\Noselect') ? statusParts(entry, hasCondstore) : []),
  ]);
}
