/** A process that reads what a store holds, on the built program, and may be killed at a durable step: `node … FILE KEY CRASH_AT`. */
import { createStoreClient } from '../../build/parts/store-sqlite-store-client.js';
import { startStoreThread } from '../../build/parts/store-sqlite-store-thread.js';
import { readPending } from '../../build/parts/sync-read-pending.js';

const [file = '', keyFile = '', crashAt = '0'] = process.argv.slice(2);
const thread = await startStoreThread({ file, keyFile, crashAt: Number(crashAt) });
const store = await createStoreClient({ file, keyFile, port: thread.connect() });
await store.raiseEpoch();
const log = { debug() {}, info() {}, warn() {} };
const ports = { store, log, clock: () => new Date(), signal: new AbortController().signal };
const { readCount } = await readPending(ports, { countMax: 1e9, msMax: 600_000 });
await store.close();
const { steps } = await thread.stop();
process.stdout.write(JSON.stringify({ readCount, steps }));
