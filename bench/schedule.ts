/**
 * `npm run bench:schedule`: what the schedule costs an engine with 100,000 accounts of 20 folders each. The queue's verbs and
 * ticks, reading all accounts at a start, the rules, `pick` under a backlog, and what the triggers of migration 2 cost a pass.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type Database from 'better-sqlite3';
import { createTimeZone } from '../src/base/time-zone.ts';
import { allAccountTimes, scheduledAccount } from '../src/engine/due.ts';
import type { Candidate } from '../src/engine/pick/situation.ts';
import { createUsage } from '../src/engine/pick/usage.ts';
import { pick } from '../src/engine/pick.ts';
import type { Rules } from '../src/engine/schedule/account.ts';
import { nextDue } from '../src/engine/schedule.ts';
import { openQueue } from '../src/queue/open-queue.ts';
import type { QueuedTask } from '../src/queue/queue.ts';
import { migrations } from '../src/store/sqlite/migrate.ts';
import { openWriter } from '../src/store/sqlite/open.ts';
import { openSqliteStore } from '../src/store/sqlite/open-store.ts';

const { values } = parseArgs({ options: { accounts: { type: 'string', default: '100000' } } });
const accountCount = Number(values.accounts);
const folderCount = 20;
const hostCount = 200;
const nowMs = Date.parse('2026-11-24T12:00:00Z');

const lines: (readonly [what: string, figure: string, goal: string])[] = [];
const note = (what: string, figure: string, goal = ''): void => {
  lines.push([what, figure, goal]);
  process.stderr.write(`${what}: ${figure}\n`);
};

/** Milliseconds of each of `count` runs: the median and the slowest. */
async function timed(count: number, work: (index: number) => unknown): Promise<{ median: number; worst: number }> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const startedMs = performance.now();
    await work(index);
    times.push(performance.now() - startedMs);
  }
  times.sort((a, b) => a - b);
  return { median: times[Math.floor(count / 2)] ?? 0, worst: times.at(-1) ?? 0 };
}

const task = (acntid: number, dueMs: number): QueuedTask => ({
  kind: 'sync',
  acntid,
  server: `mail${acntid % hostCount}.example.com:993`,
  class: 'recent',
  dueMs,
  attempts: 0,
  fruitlessCount: 0,
});

async function benchQueue(folder: string, name: string): Promise<void> {
  const queue = openQueue({
    folder,
    nodeId: 'bench',
    isOurs: () => true,
    onProblem: () => undefined,
    onLost: () => undefined,
  });
  const all = Array.from({ length: accountCount }, (_, index) => task(index + 1, nowMs + index * 18));
  const fill = await timed(1, async () => {
    for (let at = 0; at < all.length; at += 500) await queue.put(all.slice(at, at + 500));
  });
  note(
    `${name}: put ${accountCount} tasks, 500 at a time, each`,
    `${((fill.median * 1000) / accountCount).toFixed(1)} µs`,
    '< 20 µs',
  );
  const single = await timed(2000, (index) => queue.put([task(index * 7 + 1, nowMs + index * 1000)]));
  note(`${name}: put one task alone`, `${(single.median * 1000).toFixed(0)} µs`);
  const tick = await timed(500, async (index) => {
    const dueTasks = await queue.due({
      kinds: ['sync', 'bulk'],
      nowMs: nowMs + index * 250,
      skipServers: new Set(),
      countPerServer: 20,
      countMax: 500,
    });
    await queue.start(
      dueTasks.map((one) => ({ ...one, lateMs: 0 })),
      nowMs,
    );
    for (const one of dueTasks) await queue.end(one, [{ ...one, dueMs: nowMs + 1_800_000 }]);
  });
  note(
    `${name}: tick of 250 ms (some 14 due): due, start, end each`,
    `${tick.median.toFixed(2)} ms, worst ${tick.worst.toFixed(1)}`,
    '< 5 ms',
  );
  const idle = await timed(500, () =>
    queue.due({ kinds: ['sync', 'bulk'], nowMs, skipServers: new Set(), countPerServer: 20, countMax: 500 }),
  );
  note(`${name}: tick with nothing due`, `${(idle.median * 1000).toFixed(0)} µs`, '< 5 ms');
  const flood = await timed(50, () =>
    queue.due({
      kinds: ['sync', 'bulk'],
      nowMs: nowMs + 9e9,
      skipServers: new Set(),
      countPerServer: 20,
      countMax: 500,
    }),
  );
  note(`${name}: tick with all of them overdue`, `${flood.median.toFixed(2)} ms`);
  await queue.close();
}

function fillStore(file: string): void {
  const database = openWriter(file);
  database.exec(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${accountCount})
    INSERT INTO email_accounts (email, user_id, imap_host, imap_port, imap_security, imap_user, checked_at)
    SELECT 'u' || i || '@example.com', 'u' || i, 'mail' || (i % ${hostCount}) || '.example.com', 993, 'tls', 'u' || i, '2026-11-24T11:50:00.000Z' FROM n;
    WITH RECURSIVE f (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM f WHERE i < ${folderCount})
    INSERT INTO email_folders (acntid, path, delimiter, priority, uidvalidity, uidnext, listed_uid, checkpoint, recent_synced_at, full_synced_at, first_synced_at)
    SELECT acntid, 'Folder ' || f.i, '/', CASE WHEN f.i < 3 THEN 'high' ELSE 'low' END, 7, 5001, 5000, '1:5000',
      '2026-11-24T11:50:00.000Z', '2026-11-24T11:30:00.000Z', '2026-01-01T00:00:00.000Z' FROM email_accounts, f;
    INSERT INTO email_presence SELECT user_id, '2026-11-24T11:59:00.000Z' FROM email_accounts WHERE acntid % 10 = 0;
    DELETE FROM account_news;`);
  database.close();
}

const rules: Rules = {
  isSyncEnabled: true,
  recentSeconds: 600,
  recentSecondsAway: 1800,
  fullSeconds: 3600,
  fullSecondsAway: 4800,
  presenceSeconds: 900,
  authRetrySeconds: 1800,
  daily: { zone: createTimeZone('Europe/Warsaw'), startMs: 20 * 3_600_000, spreadMs: 3_600_000 },
};

async function benchStart(folder: string): Promise<void> {
  const file = join(folder, 'mail.db');
  fillStore(file);
  const store = await openSqliteStore({ file, keyFile: join(folder, 'secret.key') });
  const reading = await timed(1, async () => {
    let count = 0;
    for await (const page of allAccountTimes(store)) count += page.length;
    return count;
  });
  note(
    `read the times of ${accountCount} accounts × ${folderCount} folders`,
    `${(reading.median / 1000).toFixed(2)} s`,
  );
  let worstMs = 0;
  const whole = await timed(1, async () => {
    let startedMs = performance.now();
    for await (const page of allAccountTimes(store)) {
      for (const times of page) {
        const account = scheduledAccount(times);
        for (const lane of ['prompt', 'bulk'] as const) nextDue(account, rules, nowMs, lane);
      }
      worstMs = Math.max(worstMs, performance.now() - startedMs);
      await new Promise((resolve) => setImmediate(resolve));
      startedMs = performance.now();
    }
  });
  note(
    'the same, with both lanes of the schedule',
    `${(whole.median / 1000).toFixed(2)} s, in pieces of at most ${worstMs.toFixed(0)} ms`,
  );
  const one = await timed(2000, (index) => store.accountTimes(((index * 7919) % accountCount) + 1));
  note('the times of one account', `${(one.median * 1000).toFixed(0)} µs`);
  const seen = await timed(2000, () => store.presenceSince('2026-11-24T11:59:30.000Z'));
  note('presence since, nobody came', `${(seen.median * 1000).toFixed(0)} µs`);
  const news = await timed(2000, () => store.takeChangedAccounts());
  note('changed accounts, none', `${(news.median * 1000).toFixed(0)} µs`);
  await store.close();
}

async function benchPick(): Promise<void> {
  const due: Candidate[] = Array.from({ length: 2000 }, (_, index) => ({
    class: index % 3 === 0 ? 'first' : index % 3 === 1 ? 'recent' : 'live',
    acntid: index,
    server: `mail${index % hostCount}.example.com:993`,
    dueMs: nowMs - index,
    connectionCountMax: 3,
  }));
  const ceilings = {
    slots: { send: 64, file: 64, sync: 224, read: 8 },
    connectionsPerHost: 20,
    connectionsPerAccount: 3,
  };
  const given = { running: [], kept: [], ceilings, allowedOn: () => Number.POSITIVE_INFINITY, nowMs };
  const run = await timed(100, () => pick(createUsage(given), due));
  note(`pick 224 of 2,000 due on ${hostCount} hosts`, `${run.median.toFixed(2)} ms`);
}

/** What a pass writes into a database with and without migration 2. */
async function benchTriggers(folder: string): Promise<void> {
  const medians: number[][] = [[], []];
  const databases = [migrations.slice(0, 1), migrations].map((known, index) => {
    const database = openWriter(join(folder, `triggers-${index}.db`), known);
    database.pragma('synchronous = OFF');
    database.exec(`INSERT INTO email_accounts (email, imap_host, imap_port, imap_security, imap_user) VALUES ('a', 'h', 1, 'tls', 'a');
      WITH RECURSIVE f (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM f WHERE i < 20)
      INSERT INTO email_folders (acntid, path) SELECT 1, i FROM f`);
    return database;
  });
  for (let round = 0; round < 20; round += 1)
    for (const [index, database] of databases.entries()) medians[index]?.push(await passWrites(database));
  const [before = 0, after = 0] = medians.map((times) => times.sort((a, b) => a - b)[10] ?? 0);
  note(
    'writes of an unchanged pass, with the triggers of migration 2 beside without',
    `${(after / before).toFixed(3)} ×`,
    '1',
  );
  for (const database of databases) database.close();
}

async function passWrites(database: Database.Database): Promise<number> {
  const unchanged = database.prepare(
    'UPDATE email_folders SET recent_synced_at = ? WHERE emfdid IN (SELECT value FROM json_each(?))',
  );
  const ended = database.prepare(
    'UPDATE email_folders SET recent_synced_at = ?, uidnext = ?, highestmodseq = ?, last_error = NULL, retry_at = NULL WHERE emfdid = ?',
  );
  const health = database.prepare(
    "UPDATE email_accounts SET state = 'ok', last_error = NULL, retry_at = NULL, checked_at = ?, failure_count = 0 WHERE acntid = 1",
  );
  const at = new Date(nowMs).toISOString();
  const all = JSON.stringify(Array.from({ length: 20 }, (_, index) => index + 1));
  const { median } = await timed(500, () => {
    database.exec('BEGIN');
    unchanged.run(at, all);
    ended.run(at, 5, 6, 7);
    health.run(at);
    database.exec('COMMIT');
  });
  return median;
}

async function main(): Promise<void> {
  const onDisk = mkdtempSync(join(tmpdir(), 'backproc-bench-'));
  const onRam = mkdtempSync('/dev/shm/backproc-bench-');
  try {
    await benchQueue(onRam, 'queue on a RAM disk');
    await benchStart(onDisk);
    await benchPick();
    await benchTriggers(onRam);
  } finally {
    for (const folder of [onDisk, onRam]) rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(
    `| what | measured | goal |\n|---|---|---|\n${lines.map((line) => `| ${line.join(' | ')} |`).join('\n')}\n`,
  );
}

await main();
