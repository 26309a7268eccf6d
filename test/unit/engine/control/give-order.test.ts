/** An order over a real socket: answered, followed, and given up when the engine is silent, slow, gone or not there. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { controlAddress, type OrderHandler, serveControl } from '../../../../src/engine/control/control.ts';
import { giveOrder, isNotListening } from '../../../../src/engine/control/give-order.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function newAddress(): string {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-test-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'backproc.sock');
}

async function serve(handle: OrderHandler, address = newAddress()): Promise<string> {
  const server = await serveControl(address, handle);
  cleanups.push(() => server.close());
  return address;
}

/** Takes connections as the kernel does for a stopped process, and does with them what it is told. */
async function takeConnections(onOrder: (socket: Socket) => void = () => undefined): Promise<string> {
  const address = newAddress();
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', () => onOrder(socket));
  }).listen(address);
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return address;
}

const never = (): Promise<never> => new Promise<never>(() => undefined);
const order = { order: 'status' };
const onProgress = (): void => undefined;

describe('an order', () => {
  it('goes to the engine of its own store where two share a pid folder', async () => {
    const pidFolder = dirname(newAddress());
    const stores = ['/srv/a/mail.db', '/srv/b/mail.db'];
    const addresses = stores.map((store) => controlAddress(pidFolder, store));
    for (const [index, store] of stores.entries()) await serve(async () => store, addresses[index]);
    expect(await Promise.all(addresses.map((address) => giveOrder(address, order)))).toEqual(stores);
    expect(dirname(addresses[0] ?? '')).toBe(pidFolder);
    expect(controlAddress('x'.repeat(100), stores[0] ?? '')).not.toBe(controlAddress('x'.repeat(100), stores[1] ?? ''));
  });
  it('brings back what was done, what went on meanwhile, and what it failed with', async () => {
    const told: unknown[] = [];
    const address = await serve(async (given, { tell }) => {
      if (given.order === 'fail') throw new Error('not today');
      tell('half');
      return given.order;
    });
    expect(await giveOrder(address, order, { onProgress: (value) => told.push(value) })).toBe('status');
    expect(told).toEqual(['half']);
    await expect(giveOrder(address, { order: 'fail' })).rejects.toThrow('not today');
  });

  it('to an engine that takes the connection and is silent is given up', async () => {
    const address = await takeConnections();
    for (const options of [{}, { onProgress }])
      await expect(giveOrder(address, order, { ...options, times: { silentMs: 50 } })).rejects.toMatchObject({
        code: 'engine_unreachable',
        detail: 'no answer in 0.05 s',
      });
  });

  it('that was followed for a while is given up when the engine falls silent', async () => {
    const address = await takeConnections((socket) => socket.write('{"kind":"beat"}\n'));
    await expect(giveOrder(address, order, { onProgress, times: { silentMs: 50 } })).rejects.toMatchObject({
      code: 'engine_unreachable',
    });
  });

  it('that takes longer than a silence is followed while the engine beats', async () => {
    let release: (value: string) => void = () => undefined;
    const address = await serve(() => new Promise((resolve) => (release = resolve)));
    const following = giveOrder(address, order, { onProgress, times: { silentMs: 3000, answerMs: 1 } });
    setTimeout(() => release('at last'), 3500);
    expect(await following).toBe('at last');
  });

  it('that needs no following must be answered in time, also by an engine that beats', async () => {
    const address = await serve(never);
    await expect(giveOrder(address, order, { times: { answerMs: 50 } })).rejects.toMatchObject({
      code: 'engine_unreachable',
    });
  });

  it('is aborted when the engine ends before it is done', async () => {
    const address = await takeConnections((socket) => socket.destroy());
    await expect(giveOrder(address, order)).rejects.toMatchObject({ code: 'aborted' });
  });

  it('to nobody fails at once, or waits for somebody to listen', async () => {
    const address = newAddress();
    const error = await giveOrder(address, order).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'engine_unreachable' });
    expect(isNotListening(error)).toBe(true);
    const answer = giveOrder(address, order, { listenMs: 10_000 });
    await serve(() => Promise.resolve('here'), address);
    expect(await answer).toBe('here');
  });
  it.skipIf(process.platform === 'win32')('is taken again soon after somebody has deleted the socket', async () => {
    const address = await serve(() => Promise.resolve('here'));
    for (let time = 0; time < 2; time += 1) {
      rmSync(address);
      await vi.waitFor(async () => expect(await giveOrder(address, order)).toBe('here'), { timeout: 15_000 });
    }
  });
});
