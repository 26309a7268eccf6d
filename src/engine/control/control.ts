/**
 * The engine takes orders: a local socket (a named pipe on Windows) for `status`, `stop`, `reload` and for tasks that the command
 * line hands over. One order a connection, as a line of JSON; answers are lines of JSON, the last one says how it ended. Who may
 * connect is decided by the folder's permissions; an order is as powerful as the user who can write to that folder.
 */

import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EngineError, type ErrorRecord, fromErrorRecord, toErrorRecord } from '../../base/errors.ts';

export interface Order {
  readonly order: string;
  readonly [argument: string]: unknown;
}

export type Answer =
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

/** sun_path holds 108 bytes, 104 on macOS. */
const pathBytesMax = 100;
const lineCharsMax = 64 * 1024;

/** In the pid folder; where its path is too long for a socket, in the system's folder for temporary files. */
export function controlAddress(pidFolder: string): string {
  const digest = createHash('sha256').update(pidFolder).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\backproc-${digest}`;
  const path = join(pidFolder, 'backproc.sock');
  return Buffer.byteLength(path) <= pathBytesMax ? path : join(tmpdir(), `backproc-${digest}`, 'backproc.sock');
}

export interface ControlServer {
  close(): void;
}

/** Call only while holding the lock: it removes what a dead engine left behind. */
export async function serveControl(address: string, handle: OrderHandler): Promise<ControlServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A client that goes away is no trouble of ours.
    socket.on('error', () => socket.destroy());
    void answer(socket, handle);
  });
  await listen(server, address);
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.end();
    },
  };
}

async function listen(server: Server, address: string): Promise<void> {
  if (process.platform !== 'win32') {
    mkdirSync(join(address, '..'), { recursive: true, mode: 0o770 });
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
  try {
    const order = await readOrder(socket);
    const value = await handle(order, { tell: (news) => send({ kind: 'progress', value: news }), signal: gone.signal });
    send({ kind: 'done', value: value ?? null });
  } catch (error) {
    send({ kind: 'failed', error: toErrorRecord(error) });
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

/**
 * Gives an order and follows it. Throws `engine_unreachable` when nobody listens, `aborted` when the engine went away before the
 * end, and what the engine failed with.
 */
export async function giveOrder(
  address: string,
  order: Order,
  onProgress: (value: unknown) => void = () => undefined,
): Promise<unknown> {
  const socket = await reach(address);
  socket.on('error', () => socket.destroy());
  socket.write(`${JSON.stringify(order)}\n`);
  try {
    for await (const line of createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })) {
      const message = JSON.parse(line) as Answer;
      if (message.kind === 'done') return message.value;
      if (message.kind === 'failed') throw fromErrorRecord(message.error);
      onProgress(message.value);
    }
  } finally {
    socket.destroy();
  }
  throw new EngineError('aborted', 'the engine ended before it was done');
}

const reachMs = 5000;

async function reach(address: string): Promise<Socket> {
  const socket = createConnection(address);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(reachMs, () => reject(new Error(`no answer in ${reachMs} ms`)));
      socket.once('connect', resolve).once('error', reject);
    });
  } catch (error) {
    socket.destroy();
    throw new EngineError('engine_unreachable', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  return socket.setTimeout(0);
}
