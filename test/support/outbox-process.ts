/**
 * The outbox as the engine runs it, in little: a process with the store thread, a store client, and a loop that asks what is due and
 * runs sending and filing tasks, one of each kind per account at a time. `startOutbox` is it in this process; run as a program with
 * its options as JSON (outbox-child.ts), as the build has put it among its parts, it is the child that tests kill.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { openFiling } from '../../src/imap/filing.ts';
import type { createLink, Link } from '../../src/imap/link.ts';
import type { createCredentials } from '../../src/login/credentials.ts';
import type { fileDue } from '../../src/outbox/file-due.ts';
import type { sendDue } from '../../src/outbox/send-due.ts';
import type { FileReport, OutboxPorts, OutboxSettings, SendReport } from '../../src/outbox/task.ts';
import type { openSmtp } from '../../src/smtp/open-session.ts';
import type { createSmtpPool } from '../../src/smtp/pool.ts';
import type { createStoreClient } from '../../src/store/sqlite/store-client.ts';
import type { startStoreThread } from '../../src/store/sqlite/store-thread.ts';
import { built } from './built.ts';

export interface OutboxOptions {
  readonly file: string;
  readonly keyFile: string;
  readonly settings?: Partial<OutboxSettings>;
  readonly connections?: number;
  /** Kill the process at this durable step. */
  readonly crashAt?: number;
  /** End when nothing is due now; else run until told to stop. */
  readonly untilIdle?: boolean;
  /** No filing: where there is no IMAP server. */
  readonly sendOnly?: boolean;
  /** Milliseconds that this process is ahead of the time. */
  readonly aheadMs?: number;
}

export interface Outbox {
  readonly ports: OutboxPorts;
  /** Sends and files until nothing is due now. */
  drain(): Promise<void>;
  readonly sendReports: SendReport[];
  readonly fileReports: FileReport[];
  /** Lines of the log. */
  readonly lines: string[];
  /** One sending task for each account that is due. */
  sendOnce(): Promise<void>;
  /** What a stopping engine does first. */
  abort(): void;
  /** Lets time pass. */
  advance(ms: number): void;
  stop(): Promise<{ readonly steps: number }>;
}

export const defaultSettings: OutboxSettings = {
  limits: { connections: 5, messagesPerMinute: null, recipientsPerDay: null, recipientsPerMessage: 100, providers: {} },
  authRetrySeconds: 1800,
  networkTimeoutMs: 60_000,
  giveUpHours: 120,
  messageBytesMax: 36_700_160,
  attachmentRoot: null,
  unknown: 'hold',
};

export async function startOutbox(options: OutboxOptions): Promise<Outbox> {
  const modules = loadBuilt();
  const { file, keyFile, crashAt = 0 } = options;
  const thread = await modules.startStoreThread({ file, keyFile, crashAt });
  const store = await modules.createStoreClient({ file, keyFile, port: thread.connect() });
  await store.raiseEpoch();
  const stopping = new AbortController();
  const smtpPool = modules.createSmtpPool();
  const links = new Map<string, Link>();
  const lines: string[] = [];
  let aheadMs = options.aheadMs ?? 0;
  const log = (message: string, at?: { acntid: number }): void => void lines.push(`${message} [${at?.acntid ?? 0}]`);
  const ports: OutboxPorts = {
    store,
    credentialsOf: modules.createCredentials(store),
    openSmtp: modules.openSmtp,
    smtpPool,
    openFiling: modules.openFiling,
    linkTo: (host) => {
      const link = links.get(host) ?? modules.createLink();
      links.set(host, link);
      return link;
    },
    settings: { ...defaultSettings, ...options.settings },
    log: { debug: log, info: log, warn: log },
    clock: () => new Date(Date.now() + aheadMs),
    signal: stopping.signal,
  };
  const sendReports: SendReport[] = [];
  const fileReports: FileReport[] = [];
  const outbox: Outbox = {
    ports,
    sendReports,
    fileReports,
    lines,
    advance(ms) {
      aheadMs += ms;
    },
    abort: () => stopping.abort(),
    async sendOnce() {
      const due = await store.outboxDue(ports.clock().toISOString(), 100);
      const connections = options.connections ?? 5;
      for (const { acntid } of due.send) sendReports.push(await modules.sendDue(ports, { acntid, connections }));
    },
    async drain() {
      for (;;) {
        const due = await store.outboxDue(ports.clock().toISOString(), 100);
        const file = options.sendOnly ? [] : due.file;
        if (due.send.length + file.length === 0) return;
        const connections = options.connections ?? 5;
        await Promise.all([
          ...due.send.map(async ({ acntid }) => {
            sendReports.push(await modules.sendDue(ports, { acntid, connections }));
          }),
          ...file.map(async ({ acntid }) => {
            fileReports.push(await modules.fileDue(ports, { acntid }));
          }),
        ]);
      }
    },
    async stop() {
      stopping.abort();
      await smtpPool.close();
      await store.close();
      return thread.stop();
    },
  };
  return outbox;
}

interface Built {
  readonly startStoreThread: typeof startStoreThread;
  readonly createStoreClient: typeof createStoreClient;
  readonly createSmtpPool: typeof createSmtpPool;
  readonly openSmtp: typeof openSmtp;
  readonly openFiling: typeof openFiling;
  readonly createLink: typeof createLink;
  readonly createCredentials: typeof createCredentials;
  readonly sendDue: typeof sendDue;
  readonly fileDue: typeof fileDue;
}

function loadBuilt(): Built {
  const paths = [
    'store/sqlite/store-thread',
    'store/sqlite/store-client',
    'smtp/pool',
    'smtp/open-session',
    'imap/filing',
    'imap/link',
    'login/credentials',
    'outbox/send-due',
    'outbox/file-due',
  ];
  return Object.assign({}, ...paths.map((path) => built<object>(path))) as Built;
}

/** How often the child asks what is due. */
const pollMs = 20;

async function main(options: OutboxOptions): Promise<void> {
  const outbox = await startOutbox(options);
  let isStopping = false;
  process.once('SIGTERM', () => {
    isStopping = true;
  });
  process.stdout.write('ready\n');
  do {
    await outbox.drain();
    if (!options.untilIdle) await wait(pollMs);
  } while (!options.untilIdle && !isStopping);
  const { steps } = await outbox.stop();
  process.stdout.write(`steps ${steps}\n`);
}

const [, program = '', given] = process.argv;
if (program.endsWith('outbox-process.js') && given !== undefined) void main(JSON.parse(given) as OutboxOptions);
