/** A thread that reads, on the built program: what the engine's threads do, without an engine. Ends when there is nothing left. */
import { parentPort, workerData } from 'node:worker_threads';
import { createStoreClient } from '../../build/parts/store-sqlite-store-client.js';
import { readPending } from '../../build/parts/sync-read-pending.js';

const store = await createStoreClient(workerData);
const log = { debug() {}, info() {}, warn() {} };
const onProgress = (report) => parentPort?.postMessage({ progress: report });
const ports = { store, log, clock: () => new Date(), signal: new AbortController().signal, onProgress };
const report = await readPending(ports, { countMax: 1e9, msMax: 600_000 });
parentPort?.postMessage({ report });
await store.close();
