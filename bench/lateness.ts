/**
 * `npm run bench -- --lateness`: does reading hold up sync? 100 accounts whose INBOX is due every five seconds, first with nothing to
 * read, then with 50,000 mails waiting to be read: how long from one pass of an account to the next, over the interval.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { openSqlite } from '../src/base/sqlite.ts';
import { startDovecot } from '../test/support/dovecot.ts';
import { startEngine } from '../test/support/engine-process.ts';
import { createInstallation, type Installation } from '../test/support/installation.ts';
import { createMailGenerator } from '../test/support/mail-generator.ts';

const accountCount = 100;
const unreadCount = 50_000;
const intervalMs = 5000;
const sampleMs = 30_000;
const differenceMax = 0.1;

interface Lateness {
  readonly passes: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Mails that were read meanwhile. */
  readonly readCount: number;
}

export async function benchLateness(): Promise<string> {
  const dovecot = await startDovecot();
  const installation = createInstallation({
    EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL_NL: intervalMs / 1000,
    BG_MAX_CONNECTIONS_PER_HOST: 2 * accountCount,
  });
  try {
    for (let index = 1; index <= accountCount; index += 1) {
      const client = await dovecot.client(`user${index}`);
      await client.append('INBOX', [createMailGenerator(index).next('small')]);
      await client.close();
      await installation.addAccount(dovecot.port, `user${index}`);
    }
    const without = await sample(installation);
    addUnread(installation);
    const beside = await sample(installation);
    return table(without, beside);
  } finally {
    await dovecot.stop();
    installation.remove();
  }
}

/** A fresh engine, settled; then the moments at which folders were synced, by looking often. */
async function sample(installation: Installation): Promise<Lateness> {
  const engine = await startEngine(installation);
  await wait(2 * intervalMs);
  const database = openSqlite(installation.storeFile, { readonly: true, timeout: 10_000 });
  const read = database.prepare<[], { n: number }>(
    "SELECT COUNT(*) AS n FROM email_contents WHERE parse_state = 'parsed'",
  );
  const synced = database.prepare<[], { emfdid: number; at: string }>(
    'SELECT emfdid, recent_synced_at AS at FROM email_folders WHERE recent_synced_at IS NOT NULL',
  );
  const last = new Map<number, number>();
  const lateMs: number[] = [];
  const readBefore = read.get()?.n ?? 0;
  const endMs = performance.now() + sampleMs;
  while (performance.now() < endMs) {
    for (const { emfdid, at } of synced.all()) {
      const atMs = Date.parse(at);
      const beforeMs = last.get(emfdid);
      if (beforeMs !== undefined && atMs > beforeMs) lateMs.push(atMs - beforeMs - intervalMs);
      last.set(emfdid, atMs);
    }
    await wait(500);
  }
  const readCount = (read.get()?.n ?? 0) - readBefore;
  database.close();
  await engine.stop();
  lateMs.sort((a, b) => a - b);
  const rank = (share: number): number => lateMs[Math.floor(lateMs.length * share)] ?? Number.NaN;
  return { passes: lateMs.length, p50Ms: rank(0.5), p95Ms: rank(0.95), readCount };
}

/** Contents of nobody's, as a first sync leaves them: reading takes them by their state alone. */
function addUnread(installation: Installation): void {
  const database = openSqlite(installation.storeFile, { timeout: 10_000 });
  const generator = createMailGenerator(99);
  const content = database.prepare('INSERT INTO email_contents (sha256) VALUES (?) RETURNING id');
  const raw = database.prepare('INSERT INTO email_raw (content_id, raw) VALUES (?, ?)');
  database.transaction(() => {
    for (let index = 0; index < unreadCount; index += 1) {
      const { raw: bytes } = generator.next('small');
      const row = content.get(index.toString(16).padStart(64, '0')) as { id: number };
      raw.run(row.id, bytes);
    }
  })();
  database.close();
}

function table(without: Lateness, beside: Lateness): string {
  const between = (late: number): number => intervalMs + late;
  const difference = between(beside.p95Ms) / between(without.p95Ms) - 1;
  const row = (what: string, { passes, p50Ms, p95Ms, readCount }: Lateness): string =>
    `| ${what} | ${passes} | ${p50Ms.toFixed(0)} | ${p95Ms.toFixed(0)} | ${readCount} |`;
  return [
    '| recent passes of 100 accounts, due every 5 s | passes | late, median ms | late, p95 ms | mails read meanwhile |',
    '|---|---|---|---|---|',
    row('nothing to read', without),
    row('50,000 mails waiting to be read', beside),
    '',
    `p95 from pass to pass: ${(100 * difference).toFixed(1)} % longer (goal: below 10 %, ${difference < differenceMax ? 'met' : '**missed**'})`,
  ].join('\n');
}
