/**
 * Gives an order to the engine and waits for how it ended. The kernel takes the connection also for a process that is stopped or
 * hangs, so a connection proves nothing: the engine beats while it works on the order, and one that is silent is given up.
 */
import { createConnection, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { EngineError, fromErrorRecord } from '../../base/errors.ts';
import type { Answer, Order } from './control.ts';

export interface OrderOptions {
  /** Given: the order is followed to its end for as long as the engine beats. Else the answer must come within `answerMs`. */
  readonly onProgress?: (value: unknown) => void;
  /** An engine that starts listens once its store is open: so long it is waited for. */
  readonly listenMs?: number;
  /** Tests shorten them. */
  readonly times?: Partial<OrderTimes>;
}

export interface OrderTimes {
  /** Without a byte from the engine. */
  readonly silentMs: number;
  /** The main thread may turn while its store hangs. */
  readonly answerMs: number;
}

/** Five beats of control.ts: a shorter one gives up an engine on a machine that swaps. */
const usualTimes: OrderTimes = { silentMs: 10_000, answerMs: 60_000 };
const lookMs = 100;

/**
 * Throws `engine_unreachable` when nobody listens or answers, `aborted` when the engine went away before the end, and what the
 * engine failed with.
 */
export async function giveOrder(address: string, order: Order, options: OrderOptions = {}): Promise<unknown> {
  const times = { ...usualTimes, ...options.times };
  const socket = await reach(address, times.silentMs, performance.now() + (options.listenMs ?? 0));
  giveUpWhenSilent(socket, times.silentMs);
  const deadline = options.onProgress ? undefined : setTimeout(() => giveUp(socket, times.answerMs), times.answerMs);
  try {
    socket.write(`${JSON.stringify(order)}\n`);
    for await (const line of linesOf(socket)) {
      const message = JSON.parse(line) as Answer;
      if (message.kind === 'done') return message.value;
      if (message.kind === 'failed') throw fromErrorRecord(message.error);
      if (message.kind === 'progress') options.onProgress?.(message.value);
    }
  } finally {
    clearTimeout(deadline);
    socket.destroy();
  }
  throw new EngineError('aborted', endedEarly);
}

const endedEarly = 'the engine ended before it was done';

/** Nobody listens (yet, or any more): the engine opens its store, or has ended. Else it was reached, or does not answer. */
export const isNotListening = (error: unknown): boolean =>
  error instanceof EngineError &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  (error.cause.code === 'ENOENT' || error.cause.code === 'ECONNREFUSED');

async function reach(address: string, silentMs: number, endMs: number): Promise<Socket> {
  for (;;) {
    try {
      return await connect(address, silentMs);
    } catch (error) {
      if (!isNotListening(error) || performance.now() >= endMs) throw error;
    }
    await wait(lookMs);
  }
}

async function connect(address: string, silentMs: number): Promise<Socket> {
  const socket = createConnection(address);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(silentMs, () => reject(new Error(`no answer in ${silentMs / 1000} s`)));
      socket.once('connect', resolve).once('error', reject);
    });
  } catch (error) {
    socket.destroy();
    throw new EngineError('engine_unreachable', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  return socket.removeAllListeners('timeout');
}

/** Whoever was stopped itself meanwhile (Ctrl-Z) finds the beats waiting: they are read before anything is given up. */
function giveUpWhenSilent(socket: Socket, silentMs: number): void {
  socket.setTimeout(silentMs, () => {
    const { bytesRead } = socket;
    setImmediate(() => {
      if (socket.bytesRead === bytesRead) giveUp(socket, silentMs);
    });
  });
}

function giveUp(socket: Socket, ms: number): void {
  socket.destroy(new EngineError('engine_unreachable', `no answer in ${ms / 1000} s`));
}

async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const part of socket.setEncoding('utf8')) {
      const lines = `${rest}${part}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    throw error instanceof EngineError ? error : new EngineError('aborted', endedEarly, { cause: error });
  }
}
