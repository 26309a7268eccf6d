/** Entry of a worker thread: takes tasks, runs passes side by side, reports. All waiting is on sockets and the store. */
import { setMaxListeners } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../base/clock.ts';
import { EngineError, toErrorRecord } from '../base/errors.ts';
import { createLog, type Log } from '../base/log.ts';
import { openSession } from '../imap/open-session.ts';
import { createLink, type Link } from '../imap/session.ts';
import { createCredentials } from '../login/credentials.ts';
import { createStoreClient } from '../store/sqlite/store-client.ts';
import type { Store } from '../store/store.ts';
import type { PassTask, Ports, Progress } from '../sync/pass.ts';
import { syncAccount } from '../sync/sync-account.ts';
import type { FromThread, ThreadStart, ToThread } from './protocol.ts';

async function main(start: ThreadStart): Promise<void> {
  const log = createLog({ ...start.log, thread: start.thread });
  const store = await createStoreClient({ port: start.storePort, file: start.storeFile, keyFile: start.keyFile });
  const stopping = new AbortController();
  // Every command under way listens.
  setMaxListeners(0, stopping.signal);
  const ports = createPorts(start, store, log, stopping.signal);
  const running = new Set<Promise<void>>();
  parentPort?.on('message', (message: ToThread) => {
    if (message.kind === 'task') track(running, runTask(ports, message.taskId, message.task));
    else void end(stopping, running, store, log);
  });
  send({ kind: 'ready' });
}

const send = (message: FromThread): void => parentPort?.postMessage(message);

function track(running: Set<Promise<void>>, task: Promise<void>): void {
  running.add(task);
  void task.finally(() => running.delete(task));
}

/** Never rejects: what a pass throws is sent as data. */
async function runTask(ports: Ports, taskId: number, task: PassTask): Promise<void> {
  try {
    send({ kind: 'done', taskId, report: await syncAccount(ports, task) });
  } catch (error) {
    send({ kind: 'failed', taskId, error: toErrorRecord(error) });
  }
}

async function end(
  stopping: AbortController,
  running: ReadonlySet<Promise<void>>,
  store: Store,
  log: Log,
): Promise<void> {
  stopping.abort(new EngineError('aborted', ''));
  await Promise.allSettled(running);
  await store.close();
  log.close();
  parentPort?.close();
}

function createPorts(start: ThreadStart, store: Store, log: Log, signal: AbortSignal): Ports {
  const lastSentMs = new Map<number, number>();
  const onProgress = (progress: Progress): void => {
    const nowMs = performance.now();
    const isLast = progress.pendingCount === 0;
    if (!isLast && nowMs - (lastSentMs.get(progress.acntid) ?? Number.NEGATIVE_INFINITY) < start.progressMs) return;
    lastSentMs.set(progress.acntid, nowMs);
    send({ kind: 'progress', progress });
  };
  return {
    store,
    credentialsOf: createCredentials(store),
    openSession,
    linkTo: createLinks(),
    limits: start.limits,
    log,
    clock: systemClock,
    signal,
    onProgress,
  };
}

/** One for each host, over all accounts of this thread. */
function createLinks(): Ports['linkTo'] {
  const links = new Map<string, Link>();
  return (host) => {
    const link = links.get(host) ?? createLink();
    links.set(host, link);
    return link;
  };
}

await main(workerData as ThreadStart);
