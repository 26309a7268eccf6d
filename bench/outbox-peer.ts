/**
 * One contestant of the outbox bench, in a process of its own: `nodemailer` (its pool, from columns to the last 250, nothing
 * durable) or `backproc` (rows that are in the table already, from the first look to the last verdict). Tells its time by IPC.
 * `latency`: sends what is inserted until it is told to stop, beside a load on the store like that of a sync.
 */
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import nodemailer from 'nodemailer';
import type { Store } from '../src/store/store.ts';
import { startOutbox } from '../test/support/outbox-process.ts';

export interface PeerOrder {
  readonly kind: 'nodemailer' | 'backproc' | 'latency';
  readonly port: number;
  readonly count: number;
  readonly connections: number;
  readonly file: string;
  readonly keyFile: string;
  readonly isBusy: boolean;
}

export const bodyText = 'A line of text, as mails have them.\n'.repeat(20);

async function barePool({ port, count, connections }: PeerOrder): Promise<void> {
  const pool = nodemailer.createTransport({
    host: '127.0.0.1',
    port,
    secure: false,
    ignoreTLS: true,
    pool: true,
    maxConnections: connections,
    maxMessages: 100,
  });
  const mails = Array.from({ length: count }, (_, at) => ({
    from: 'anna@example.com',
    to: `u${at}@example.com`,
    subject: `Mail ${at}`,
    text: bodyText,
  }));
  await Promise.all(mails.map((mail) => pool.sendMail(mail)));
  pool.close();
}

async function main(order: PeerOrder): Promise<void> {
  if (order.kind === 'nodemailer') return measured(() => barePool(order));
  const outbox = await startOutbox(order);
  if (order.kind === 'backproc') await measured(() => outbox.drain());
  else await serveLatency(order, outbox.ports.store, () => outbox.drain());
  await outbox.stop();
}

async function measured(work: () => Promise<void>): Promise<void> {
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const used = process.cpuUsage(cpu);
  process.send?.({ seconds: (performance.now() - startedMs) / 1000, cpuSeconds: (used.user + used.system) / 1e6 });
}

/** How often an engine looks at the table; data_version would tell it, too. */
const pollMs = 20;

async function serveLatency({ isBusy }: PeerOrder, store: Store, drain: () => Promise<void>): Promise<void> {
  let isOver = false;
  process.once('message', () => {
    isOver = true;
  });
  process.send?.({ isReady: true });
  const load = isBusy ? storeLoad(store, () => isOver) : Promise.resolve();
  while (!isOver) {
    await drain();
    await wait(pollMs);
  }
  await load;
  process.send?.({ isOver: true });
}

const accounts = 50;
const batchMails = 100;

/** 50 accounts in their first sync: batches of 100 mails of 6 KB, one after the other, through the same store thread. */
async function storeLoad(store: Store, isOver: () => boolean): Promise<void> {
  const at = new Date().toISOString();
  const emfdids: number[] = [];
  for (let number = 0; number < accounts; number += 1) {
    const server = { host: 'load.example.com', port: 993, security: 'tls', user: `load${number}` } as const;
    const account = { email: `load${number}@example.com`, userId: null, name: null, imap: server, smtp: null };
    const acntid = await store.addAccount({ ...account, allowPlaintext: false, password: null });
    const inbox = {
      path: 'INBOX',
      delimiter: '/',
      role: 'inbox',
      priority: 'high',
      isSelectable: true,
      mailboxId: null,
    } as const;
    const [folder] = await store.applyFolderPlan(acntid, { create: [inbox], update: [], missing: [] }, at);
    emfdids.push(folder?.emfdid ?? 0);
  }
  for (let uid = 1; !isOver(); uid += batchMails) {
    for (const emfdid of emfdids) {
      if (isOver()) return;
      await storeMails(store, emfdid, uid, at);
    }
  }
}

async function storeMails(store: Store, emfdid: number, first: number, at: string): Promise<void> {
  const last = first + batchMails - 1;
  const common = { emfdid, uidValidity: 7, at };
  await store.recordListing({
    ...common,
    listedUid: last,
    pending: [[first, last]],
    highestModseq: null,
    flagChanges: [],
    reviveIds: [],
    vanishedIds: [],
    held: null,
    forgottenQuarantine: [],
  });
  const messages = Array.from({ length: batchMails }, (_, index) => mail(emfdid, first + index, at));
  await store.storeBatch({
    ...common,
    messages,
    placements: [],
    quarantined: [],
    settled: [[first, last]],
    isFirstSync: true,
    day: null,
  });
}

function mail(emfdid: number, uid: number, at: string) {
  const raw = Buffer.from(
    `Subject: ${emfdid}/${uid}\r\n\r\n${'A line of some length, as mails have them.\r\n'.repeat(130)}`,
  );
  const headers = {
    messageIdHeader: `<${emfdid}.${uid}@load>`,
    inReplyTo: null,
    references: null,
    subject: `${uid}`,
    from: [],
    to: [],
    cc: [],
    sentAt: at,
  };
  const sha256 = createHash('sha256').update(raw).digest('hex');
  return { uid, flags: '', internalDate: at, size: raw.length, modseq: null, emailId: null, sha256, raw, headers };
}

if (process.send !== undefined) await main(JSON.parse(process.argv[2] ?? '{}') as PeerOrder);
