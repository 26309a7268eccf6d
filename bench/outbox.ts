/**
 * `npm run bench:outbox`: 2,000 small mails through the outbox, with its durable states on, beside nodemailer's own pool, to the
 * same sink in one run; and how long it takes from an INSERT to the server's 250, idle, while the store is busy with a sync, and with the whole
 * engine in the first syncs of 50 accounts.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openSqlite } from '../src/base/sqlite.ts';
import { openSqliteStore } from '../src/store/sqlite/open-store.ts';
import { type Dovecot, startDovecot } from '../test/support/dovecot.ts';
import { startEngine } from '../test/support/engine-process.ts';
import { createInstallation } from '../test/support/installation.ts';
import { createMailGenerator } from '../test/support/mail-generator.ts';
import { bodyText, type PeerOrder } from './outbox-peer.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, runs: { type: 'string' }, connections: { type: 'string' } },
});
const runs = Number(values.runs ?? (values.quick ? 1 : 5));
const count = values.quick ? 300 : 2000;
const connections = Number(values.connections ?? 5);
const latencyMails = values.quick ? 40 : 300;
const busyAccounts = 50;
const busyMails = values.quick ? 500 : 2000;

/** Goals of docs/performance.md. */
const ratioMin = 0.7;
const latencyMsMax = 300;

const start = (file: string, argument = ''): ChildProcess =>
  fork(join(import.meta.dirname, file), [argument], { execArgv: ['--import', 'jiti/register'] });

async function told<T>(child: ChildProcess): Promise<T> {
  const [message]: unknown[] = await once(child, 'message');
  return message as T;
}

interface Place {
  readonly folder: string;
  readonly file: string;
  readonly keyFile: string;
}

async function makeStore(port: number): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-bench-outbox-'));
  const place = { folder, file: join(folder, 'mail.db'), keyFile: join(folder, 'secret.key') };
  const store = await openSqliteStore(place);
  const server = { host: '127.0.0.1', port, security: 'none', user: 'anna' } as const;
  const account = { email: 'anna@example.com', userId: null, name: null, imap: server, smtp: server };
  await store.addAccount({ ...account, allowPlaintext: false, password: 'pw' });
  await store.close();
  // Filing is no part of sending, and the sink has no IMAP.
  const database = openSqlite(place.file);
  database.exec("UPDATE email_accounts SET sent_copy = 'off'");
  database.close();
  return place;
}

const insertSql = 'INSERT INTO email_outbox (acntid, to_addresses, subject, body_text, headers) VALUES (1, ?, ?, ?, ?)';

async function throughput(kind: 'nodemailer' | 'backproc', port: number): Promise<number> {
  const place = await makeStore(port);
  if (kind === 'backproc') {
    const database = openSqlite(place.file);
    const insert = database.prepare(insertSql);
    database.transaction(() => {
      for (let at = 0; at < count; at += 1) insert.run(`u${at}@example.com`, `Mail ${at}`, bodyText, null);
    })();
    database.close();
  }
  const order: PeerOrder = { kind, port, count, connections, isBusy: false, ...place };
  const child = start('outbox-peer.ts', JSON.stringify(order));
  const { seconds, cpuSeconds } = await told<{ seconds: number; cpuSeconds: number }>(child);
  await once(child, 'exit');
  rmSync(place.folder, { recursive: true });
  process.stderr.write(
    `${kind}: ${seconds.toFixed(2)} s, ${(count / seconds).toFixed(0)} mails/s, CPU ${cpuSeconds.toFixed(2)} s\n`,
  );
  return count / seconds;
}

async function latency(port: number, sink: ChildProcess, isBusy: boolean): Promise<number[]> {
  const place = await makeStore(port);
  const order: PeerOrder = { kind: 'latency', port, count: 0, connections, isBusy, ...place };
  const child = start('outbox-peer.ts', JSON.stringify(order));
  await told(child);
  // The load has to make its accounts first.
  if (isBusy) await wait(3000);
  const latenciesMs = await insertMails(place.file, sink);
  child.send('stop');
  await once(child, 'exit');
  rmSync(place.folder, { recursive: true });
  return latenciesMs;
}

/** One now and then, as applications do; sorted, from the INSERT to the server's 250. */
async function insertMails(file: string, sink: ChildProcess): Promise<number[]> {
  const before = (await reportOf(sink)).latenciesMs.length;
  const database = openSqlite(file, { timeout: 10_000 });
  const insert = database.prepare(insertSql);
  for (let at = 0; at < latencyMails; at += 1) {
    const headers = { 'X-Inserted-At': String(performance.timeOrigin + performance.now()) };
    insert.run(`u${at}@example.com`, `Mail ${at}`, bodyText, JSON.stringify(headers));
    await wait(20 + Math.random() * 60);
  }
  database.close();
  await wait(1000);
  return (await reportOf(sink)).latenciesMs.slice(before).toSorted((a, b) => a - b);
}

/** The whole engine, on a real server: 50 accounts are in their first sync while mail is inserted. */
async function engineLatency(port: number, sink: ChildProcess): Promise<number[]> {
  const dovecot = await startDovecot();
  const installation = createInstallation({ BG_MAX_CONNECTIONS_PER_HOST: busyAccounts });
  const users = Array.from({ length: busyAccounts }, (_, index) => `user${index + 1}`);
  for (const user of users) await fillInbox(dovecot, user);
  await installation.addAccount(dovecot.port, 'anna');
  await installation.run('account', 'set', '1', '--smtp', `smtp://anna@127.0.0.1:${port}`, '--allow-plaintext');
  const database = openSqlite(installation.storeFile);
  database.exec("UPDATE email_accounts SET sent_copy = 'off'");
  database.close();
  for (const user of users) await installation.addAccount(dovecot.port, user);
  const engine = await startEngine(installation);
  const latenciesMs = await insertMails(installation.storeFile, sink);
  const { n } = installation.query<{ n: number }>('SELECT COUNT(*) AS n FROM email_messages')[0] ?? { n: 0 };
  process.stderr.write(`engine: ${n} mails synced by the end\n`);
  await engine.stop();
  await dovecot.stop();
  installation.remove();
  return latenciesMs;
}

async function fillInbox(dovecot: Dovecot, user: string): Promise<void> {
  const generator = createMailGenerator(1);
  const client = await dovecot.client(user);
  for (let done = 0; done < busyMails; done += 500)
    await client.append(
      'INBOX',
      Array.from({ length: 500 }, () => generator.next('small')),
    );
  await client.close();
}

async function reportOf(sink: ChildProcess): Promise<{ count: number; latenciesMs: number[] }> {
  sink.send('report');
  return told(sink);
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
const median = (numbers: readonly number[]): number =>
  at(
    numbers.toSorted((a, b) => a - b),
    0.5,
  );
const mark = (isReached: boolean): string => (isReached ? 'reached' : 'MISSED');

async function main(): Promise<void> {
  const sink = start('outbox-sink.ts');
  const { port } = await told<{ port: number }>(sink);
  const rates = { nodemailer: [] as number[], backproc: [] as number[] };
  for (let run = 0; run < runs; run += 1)
    for (const kind of ['nodemailer', 'backproc'] as const) rates[kind].push(await throughput(kind, port));
  const idle = await latency(port, sink, false);
  const busy = await latency(port, sink, true);
  const engine = await engineLatency(port, sink);
  sink.kill();
  const ratio = median(rates.backproc) / median(rates.nodemailer);
  const row = (name: string, sorted: readonly number[]): string =>
    `| INSERT → 250, ${name} | ${at(sorted, 0.5).toFixed(0)} ms, 95th percentile ${at(sorted, 0.95).toFixed(0)} ms (${sorted.length} mails) | median ≤ ${latencyMsMax} ms: ${mark(at(sorted, 0.5) <= latencyMsMax)} |`;
  const lines = [
    '| what | result | goal |',
    '|---|---|---|',
    `| ${count} mails, ${connections} connections, nodemailer’s pool | ${median(rates.nodemailer).toFixed(0)}/s | |`,
    `| the same through the outbox | ${median(rates.backproc).toFixed(0)}/s, ratio ${ratio.toFixed(2)} | ≥ ${ratioMin}: ${mark(ratio >= ratioMin)} |`,
    row('idle', idle),
    row('store busy with 50 accounts', busy),
    row('the running engine, 50 accounts in their first sync', engine),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

await main();
