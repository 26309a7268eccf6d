/**
 * The engine takes orders: a local socket (a named pipe on Windows) for `status`, `stop`, `reload` and for tasks that the command
 * line hands over. One order a connection, as a line of JSON; answers are lines of JSON, the last one says how it ended, and a beat
 * every few seconds says that the engine turns (give-order.ts). Who may connect is decided by the folder's permissions; an order
 * is as powerful as the user who can write to that folder.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError, type ErrorRecord, toErrorRecord } from '../../base/errors.ts';
import { makeOwnFolder } from '../../base/own-folder.ts';

export interface Order {
  readonly order: string;
  readonly [argument: string]: unknown;
}

export type Answer =
  | { readonly kind: 'beat' }
  | { readonly kind: 'progress'; readonly value: unknown }
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: ErrorRecord };

export interface OrderContext {
  /** To whoever gave the order, while it is carried out. */
  readonly tell: (value: unknown) => void;
  /** Fires when they are gone. */
  readonly signal: AbortSignal;
}

/** Returns what is told as the end; throws what is told as the failure. */
export type OrderHandler = (order: Order, context: OrderContext) => Promise<unknown>;

/** From the main thread, while an order is carried out. A few of them fit into the silence that ends a client's patience. */
const beatMs = 2000;

/** sun_path holds 108 bytes, 104 on macOS. */
const pathBytesMax = 100;
const lineCharsMax = 64 * 1024;

/**
 * In the pid folder; where its path is too long for a socket, in the system's folder for temporary files. One for each store: engines
 * that share a pid folder by mistake would take each other's orders, and `stop` would end the wrong one.
 */
export function controlAddress(pidFolder: string, storeFile: string): string {
  const digest = createHash('sha256').update(`${pidFolder}\0${storeFile}`).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\backproc-${digest}`;
  const path = join(pidFolder, `backproc-${digest.slice(0, 8)}.sock`);
  return Buffer.byteLength(path) <= pathBytesMax ? path : join(tmpdir(), `backproc-${digest}`, 'backproc.sock');
}

export interface ControlServer {
  close(): void;
}

/** Administrators delete pid files, and the socket with them: so soon it is there again. */
const lookMs = 5000;

/** Call only while holding the lock: it removes what a dead engine left behind. */
export async function serveControl(address: string, handle: OrderHandler): Promise<ControlServer> {
  const sockets = new Set<Socket>();
  const open = async (): Promise<Server> => {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      // A client that goes away is no trouble of ours.
      socket.on('error', () => socket.destroy());
      void answer(socket, handle);
    });
    await listen(server, address);
    return server;
  };
  let server = await open();
  let isOpening = false;
  let isClosed = false;
  const look = async (): Promise<void> => {
    if (isOpening || process.platform === 'win32' || existsSync(address)) return;
    isOpening = true;
    // First: its end takes away whatever has its name.
    server.close();
    try {
      server = await open();
      if (isClosed) server.close();
    } catch {
      // The folder can't be written now; the next look tries again.
    }
    isOpening = false;
  };
  const looking = setInterval(() => void look(), lookMs);
  return {
    close() {
      isClosed = true;
      clearInterval(looking);
      server.close();
      for (const socket of sockets) socket.end();
    },
  };
}

async function listen(server: Server, address: string): Promise<void> {
  if (process.platform !== 'win32') {
    makeOwnFolder(join(address, '..'));
    rmSync(address, { force: true });
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, resolve);
  });
  if (process.platform !== 'win32') chmodSync(address, 0o660);
}

async function answer(socket: Socket, handle: OrderHandler): Promise<void> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  const send = (message: Answer): void => {
    if (socket.writable) socket.write(`${JSON.stringify(message, withBigints)}\n`);
  };
  const beat = setInterval(() => send({ kind: 'beat' }), beatMs);
  try {
    const order = await readOrder(socket);
    const value = await handle(order, { tell: (news) => send({ kind: 'progress', value: news }), signal: gone.signal });
    send({ kind: 'done', value: value ?? null });
  } catch (error) {
    send({ kind: 'failed', error: toErrorRecord(error) });
  } finally {
    clearInterval(beat);
  }
  socket.end();
}

const withBigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);

function readOrder(socket: Socket): Promise<Order> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(JSON.parse(text.slice(0, end)) as Order);
      else if (text.length > lineCharsMax) reject(new EngineError('usage', 'the order is too long'));
    });
    socket.once('close', () => reject(new EngineError('aborted', 'the order was cut short')));
  });
}
