/**
 * A link in a process of its own: TCP proxy with a round trip (half each way, and one for connecting) and a rate that all
 * connections share, per direction. `link-proxy.ts PORT ROUND_TRIP_MS MBIT`; prints its own port.
 */
import { connect, createServer, type Socket } from 'node:net';

const [target = 0, roundTripMs = 30, mbit = 100] = process.argv.slice(2).map(Number);
const bytesPerMs = (mbit * 1e6) / 8 / 1000;
/** More than the link holds on its way: then the sender waits, as TCP makes it. */
const queueBytesMax = 1024 * 1024;

interface Direction {
  freeAtMs: number;
}
const up: Direction = { freeAtMs: 0 };
const down: Direction = { freeAtMs: 0 };

function pipe(from: Socket, to: Socket, direction: Direction): void {
  const queue: { readonly atMs: number; readonly data: Buffer }[] = [];
  let queuedBytes = 0;
  let isScheduled = false;
  let hasEnded = false;
  const release = (): void => {
    isScheduled = false;
    const nowMs = performance.now();
    for (let head = queue[0]; head && head.atMs <= nowMs; head = queue[0]) {
      queue.shift();
      queuedBytes -= head.data.length;
      to.write(head.data);
    }
    if (queuedBytes < queueBytesMax) from.resume();
    if (queue[0]) schedule(queue[0].atMs);
    else if (hasEnded) to.end();
  };
  const schedule = (atMs: number): void => {
    if (isScheduled) return;
    isScheduled = true;
    setTimeout(release, Math.max(0, atMs - performance.now()));
  };
  from.on('data', (data: Buffer) => {
    const startMs = Math.max(performance.now(), direction.freeAtMs);
    direction.freeAtMs = startMs + data.length / bytesPerMs;
    const atMs = direction.freeAtMs + roundTripMs / 2;
    queue.push({ atMs, data });
    queuedBytes += data.length;
    if (queuedBytes >= queueBytesMax) from.pause();
    schedule(atMs);
  });
  from.on('end', () => {
    hasEnded = true;
    if (queue.length === 0) to.end();
  });
  from.on('error', () => to.destroy());
  from.on('close', () => {
    hasEnded = true;
  });
}

const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => {
  client.setNoDelay(true);
  setTimeout(() => {
    const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true }).setNoDelay(true);
    pipe(client, upstream, up);
    pipe(upstream, client, down);
    client.resume();
  }, roundTripMs);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address ? address.port : 0}\n`);
});
