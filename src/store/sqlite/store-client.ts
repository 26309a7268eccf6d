/**
 * A Store on any thread of the engine: reads on a connection of its own, writes sent to the store thread. When that thread is
 * gone, pending and later writes reject with `store_io`: nobody waits for ever.
 */
import type { MessagePort } from 'node:worker_threads';
import { EngineError, fromErrorRecord } from '../../base/errors.ts';
import { createSecrets } from '../secrets.ts';
import type { Store, WindowBatch } from '../store.ts';
import { createConnection } from './connection.ts';
import { openReader } from './open.ts';
import type { StoreFiles } from './open-store.ts';
import { storeOf, type Write } from './store-of.ts';
import type { WriteReply, WriteRequest } from './thread-protocol.ts';
import type { WriteVerb } from './verbs.ts';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: EngineError) => void;
}

/** `port` comes from StoreThread.connect. Bodies handed to storeBatch may be moved to the store thread: do not use them after. */
export async function createStoreClient(given: StoreFiles & { readonly port: MessagePort }): Promise<Store> {
  const reader = createConnection(openReader(given.file), createSecrets(given.keyFile));
  const requests = createRequests(given.port);
  const write: Write = async (verb, ...args) => (await requests.send(verb, args)) as never;
  return storeOf(reader, write, async () => {
    requests.close();
    reader.database.close();
  });
}

interface Requests {
  send(verb: WriteVerb, args: readonly unknown[]): Promise<unknown>;
  close(): void;
}

function createRequests(port: MessagePort): Requests {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let isClosed = false;
  port.on('message', (reply: WriteReply) => settle(waiting, reply));
  port.on('close', () => {
    isClosed = true;
    for (const { reject } of waiting.values()) reject(gone());
    waiting.clear();
  });
  // Holds the process only while an answer is due.
  port.unref();
  return {
    async send(verb, args) {
      if (isClosed) throw gone();
      lastId += 1;
      const id = lastId;
      const message = movable({ id, verb, args });
      port.ref();
      const reply = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
      port.postMessage(message.request, message.transfer);
      return reply.finally(() => {
        if (waiting.size === 0) port.unref();
      });
    },
    close: () => port.close(),
  };
}

function settle(waiting: Map<number, Waiting>, reply: WriteReply): void {
  const asked = waiting.get(reply.id);
  waiting.delete(reply.id);
  if ('error' in reply) asked?.reject(fromErrorRecord(reply.error));
  else asked?.resolve(reply.value);
}

const gone = (): EngineError => new EngineError('store_io', 'the store thread has ended');

/** Bodies are moved, not copied one by one: small ones packed into one piece of memory, large ones as they are. */
function movable(request: WriteRequest): { readonly request: WriteRequest; readonly transfer: ArrayBuffer[] } {
  if (request.verb !== 'storeBatch') return { request, transfer: [] };
  const batch = request.args[0] as WindowBatch;
  const bodies = packBodies([...batch.messages, ...batch.quarantined].flatMap(({ raw }) => raw ?? []));
  const moved = <T extends { readonly raw: Uint8Array | null }>(message: T): T =>
    message.raw === null ? message : { ...message, raw: bodies.of(message.raw) };
  const messages = batch.messages.map(moved);
  const quarantined = batch.quarantined.map(moved);
  return { request: { ...request, args: [{ ...batch, messages, quarantined }] }, transfer: bodies.memory };
}

interface PackedBodies {
  /** The same bytes, in memory that is handed over. */
  of(raw: Uint8Array): Uint8Array;
  readonly memory: ArrayBuffer[];
}

/** Rows are views into what the socket gave, which is shared with others: their bytes are copied out, all into one buffer. */
function packBodies(bodies: readonly Uint8Array[]): PackedBodies {
  const shared = bodies.filter((raw) => ownMemory(raw) === null);
  const pack = new Uint8Array(shared.reduce((sum, raw) => sum + raw.length, 0));
  const packed = new Map<Uint8Array, Uint8Array>();
  let end = 0;
  for (const raw of shared) {
    pack.set(raw, end);
    packed.set(raw, pack.subarray(end, end + raw.length));
    end += raw.length;
  }
  const own = new Set(bodies.flatMap((raw) => ownMemory(raw) ?? []));
  return { of: (raw) => packed.get(raw) ?? new Uint8Array(raw.buffer), memory: [pack.buffer, ...own] };
}

/** Null: something else may live there, too. */
function ownMemory({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer | null {
  return buffer instanceof ArrayBuffer && byteOffset === 0 && byteLength === buffer.byteLength ? buffer : null;
}
