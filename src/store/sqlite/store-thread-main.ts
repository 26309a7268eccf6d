/**
 * Entry of the store thread: the only writing connection of an engine. Requests of all clients stand in one queue; each drain
 * commits as many as a group may hold and answers them afterwards. It ends on `stop`, after what is queued, and says so.
 */
import '../../base/code-cache.ts';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { EngineError, toErrorRecord } from '../../base/errors.ts';
import { createSecrets } from '../secrets.ts';
import { type Connection, createConnection } from './connection.ts';
import { toStoreFailure } from './failure.ts';
import { commitGroup, type Outcome } from './group-commit.ts';
import { openWriter } from './open.ts';
import type { ThreadFiles, ThreadNews, ThreadOrder, WriteReply, WriteRequest } from './thread-protocol.ts';

interface Queued {
  readonly port: MessagePort;
  readonly request: WriteRequest;
}

function main(starter: MessagePort, files: ThreadFiles): void {
  const tell = (news: ThreadNews): void => starter.postMessage(news);
  try {
    const database = openWriter(files.file);
    serve(starter, tell, createConnection(database, createSecrets(files.keyFile)), stepCounter(files.crashAt));
    tell({ kind: 'ready' });
  } catch (error) {
    tell({ kind: 'failed', error: toErrorRecord(toStoreFailure(error)) });
  }
}

interface Steps {
  readonly step: () => void;
  readonly count: () => number;
}

/** SIGKILL: no handler runs, nothing is flushed; as if the machine took the process away. */
function stepCounter(crashAt: number): Steps {
  let count = 0;
  const step = (): void => {
    count += 1;
    if (count === crashAt) process.kill(process.pid, 'SIGKILL');
  };
  return { step, count: () => count };
}

function serve(starter: MessagePort, tell: (news: ThreadNews) => void, c: Connection, steps: Steps): void {
  const queue: Queued[] = [];
  const ports = new Set<MessagePort>();
  let isStopping = false;
  const drain = (): void => {
    if (queue.length > 0) drainGroup(c, queue, steps.step);
    if (queue.length > 0) setImmediate(drain);
    else if (isStopping) end();
  };
  const end = (): void => {
    if (!c.database.open) return;
    c.database.close();
    tell({ kind: 'stopped', steps: steps.count() });
    for (const port of ports) port.close();
    starter.close();
  };
  const connect = (port: MessagePort): void => {
    ports.add(port);
    port.on('close', () => ports.delete(port));
    port.on('message', (request: WriteRequest) => {
      queue.push({ port, request });
      // What has arrived by the end of this turn of the loop joins the same group.
      if (queue.length === 1) setImmediate(drain);
    });
  };
  starter.on('message', (order: ThreadOrder) => {
    if (order.kind === 'connect') return connect(order.port);
    isStopping = true;
    // Ports keep no order among each other: what was asked before the stop may not have been heard yet.
    for (const port of ports) takeWaiting(port, queue);
    if (queue.length === 0) end();
    else setImmediate(drain);
  });
}

function takeWaiting(port: MessagePort, queue: Queued[]): void {
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
    queue.push({ port, request: next.message as WriteRequest });
  }
}

function drainGroup(c: Connection, queue: Queued[], step: () => void): void {
  const calls = queue.map(({ request }) => request);
  const outcomes = commitGroup(c, calls, step);
  const answered = queue.splice(0, outcomes.length);
  step();
  for (const [index, { port, request }] of answered.entries()) answer(port, request.id, outcomes[index]);
}

function answer(port: MessagePort, id: number, outcome: Outcome | undefined): void {
  const failure = outcome && 'error' in outcome ? toErrorRecord(toStoreFailure(outcome.error)) : undefined;
  const reply: WriteReply = failure
    ? { id, error: failure }
    : { id, value: outcome && 'value' in outcome ? outcome.value : undefined };
  port.postMessage(reply);
}

if (!parentPort) throw new EngineError('bug', 'store-thread-main was loaded outside a worker thread');
main(parentPort, workerData as ThreadFiles);
