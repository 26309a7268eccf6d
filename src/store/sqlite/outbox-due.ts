/**
 * Which accounts have outbox work, without looking at what is finished: skips from account to account over partial indexes, two
 * seeks each. Asked several times a second, so its cost follows the accounts with waiting mail, not the mail.
 */
import type { Instant } from '../../base/clock.ts';
import type { DueAccount, OutboxDue } from '../outbox-entry.ts';
import type { Connection } from './connection.ts';
import { isNoTime } from './no-time.ts';
import { isUnderWay } from './outbox-attempts.ts';

interface Candidate {
  readonly acntid: number;
  readonly host: string | null;
  readonly dueAt: Instant;
}

export function outboxDue(c: Connection, now: Instant, limit: number): OutboxDue {
  const send = [...interruptedAccounts(c), ...waitingAccounts(c)];
  const file = followUpAccounts(c);
  const coming = [...send, ...file].map(({ dueAt }) => dueAt).filter((dueAt) => dueAt > now);
  return { send: dueNow(send, now, limit), file: dueNow(file, now, limit), nextAt: coming.toSorted()[0] ?? null };
}

/** Oldest first, each account once. */
function dueNow(candidates: readonly Candidate[], now: Instant, limit: number): DueAccount[] {
  const due = candidates.filter(({ dueAt }) => dueAt <= now);
  const sorted = due.toSorted((a, b) => (a.dueAt < b.dueAt ? -1 : a.dueAt > b.dueAt ? 1 : a.acntid - b.acntid));
  const seen = new Set<number>();
  return sorted.filter(({ acntid }) => !seen.has(acntid) && seen.add(acntid)).slice(0, limit);
}

const later = (a: Instant, b: Instant | null): Instant => (b !== null && b > a ? b : a);

function interruptedAccounts(c: Connection): Candidate[] {
  const sql = `SELECT DISTINCT a.acntid, a.smtp_host AS host, '' AS dueAt FROM email_outbox AS o
    JOIN email_accounts AS a ON a.acntid = o.acntid WHERE o.state = 'sending' AND a.enabled = 1`;
  return c.all<Candidate>(sql);
}

interface WaitingRow {
  acntid: number;
  id: number;
  due_at: string;
  enabled: number;
  smtp_host: string | null;
  smtp_retry_at: string | null;
}

/** What no clock will ever show is due at once, to be rejected: it would stop everything that reckons with it. */
const dueAtOf = (entry: string): string =>
  `CASE WHEN ${isNoTime(`${entry}.due_at`)} THEN '' ELSE ${entry}.due_at END AS due_at`;

/** In the order of the index: the first row of an account is the oldest of its highest priority. */
const waitingSql = `SELECT o.acntid, o.id, ${dueAtOf('o')}, a.enabled, a.smtp_host, a.smtp_retry_at FROM email_outbox AS o
  JOIN email_accounts AS a ON a.acntid = o.acntid WHERE o.due_at IS NOT NULL AND o.acntid > ?
  ORDER BY o.acntid, o.priority DESC, o.due_at LIMIT 1`;

function waitingAccounts(c: Connection): Candidate[] {
  const found: Candidate[] = [];
  for (let row = c.get<WaitingRow>(waitingSql, 0); row; row = c.get<WaitingRow>(waitingSql, row.acntid)) {
    if (row.enabled !== 1) continue;
    const dueAt = later(earliest(c, row), row.smtp_retry_at);
    found.push({ acntid: row.acntid, host: row.smtp_host, dueAt });
  }
  return found;
}

/** An application with more levels than this has its lowest wait until the highest are sent. */
const levelsMax = 100;

/**
 * Levels are known by one of their entries: SQLite compares what applications wrote there exactly, also integers that no number of
 * ours can hold.
 */
const priorityOf = '(SELECT priority FROM email_outbox WHERE id = ?)';

const lowerSql = `SELECT o.id, ${dueAtOf('o')} FROM email_outbox AS o WHERE o.acntid = ? AND o.priority < ${priorityOf}
  AND o.due_at IS NOT NULL ORDER BY o.priority DESC, o.due_at LIMIT 1`;

/** Less important mail may be due before what is more important. */
function earliest(c: Connection, { acntid, id, due_at }: WaitingRow): Instant {
  let first = due_at;
  let level: { id: number; due_at: string } | undefined = { id, due_at };
  for (let count = 0; level && count < levelsMax; count += 1) {
    if (level.due_at < first) first = level.due_at;
    level = c.get<{ id: number; due_at: string }>(lowerSql, acntid, level.id);
  }
  return first;
}

interface DueRow {
  id: number;
  bytes: number;
}

/** length() of a BLOB column does not read its pages. What is under way is nobody's to begin, whatever its state says. */
const dueColumns = `SELECT id, coalesce(length(raw), 0) + coalesce(length(attachments), 0) AS bytes FROM email_outbox
  WHERE acntid = ? AND priority = ${priorityOf}`;
const dueSql = `${dueColumns} AND due_at <= ? AND NOT ${isUnderWay('email_outbox.id')} ORDER BY due_at, id LIMIT ?`;
const firstComingSql = `SELECT * FROM (${dueColumns} AND due_at > ? ORDER BY due_at LIMIT 1) AS first
  WHERE EXISTS (SELECT 1 FROM email_outbox AS o WHERE o.id = first.id AND ${isNoTime('o.due_at')}
    AND NOT ${isUnderWay('o.id')})`;

/** Due entries of an account, higher priority first, then the oldest; of each priority also the next, when its time is none. */
export function* dueEntries(c: Connection, acntid: number, now: Instant, limit: number): Generator<DueRow> {
  let left = limit;
  for (const level of waitingLevels(c, acntid)) {
    if (left <= 0) return;
    const rows = c.all<DueRow>(dueSql, acntid, level, now, left);
    const coming = rows.length < left ? c.all<DueRow>(firstComingSql, acntid, level, now) : [];
    left -= rows.length + coming.length;
    yield* [...rows, ...coming];
  }
}

/** One entry of each priority with waiting ones, highest first: one seek each. */
function waitingLevels(c: Connection, acntid: number): number[] {
  const first = 'SELECT id FROM email_outbox WHERE acntid = ? AND due_at IS NOT NULL';
  const order = 'ORDER BY priority DESC, due_at LIMIT 1';
  const levels: number[] = [];
  let next = c.get<{ id: number }>(`${first} ${order}`, acntid);
  while (next && levels.length < levelsMax) {
    levels.push(next.id);
    next = c.get<{ id: number }>(`${first} AND priority < ${priorityOf} ${order}`, acntid, next.id);
  }
  return levels;
}

interface FollowUpRow {
  acntid: number;
  due_at: string;
  enabled: number;
  imap_host: string;
  retry_at: string | null;
}

const followUpSql = `SELECT f.acntid, f.due_at, a.enabled, a.imap_host, a.retry_at FROM outbox_followups AS f
  JOIN email_accounts AS a ON a.acntid = f.acntid WHERE f.acntid > ? ORDER BY f.acntid, f.due_at LIMIT 1`;

/** An IMAP server that reading leaves alone is left alone by filing, too. */
function followUpAccounts(c: Connection): Candidate[] {
  const found: Candidate[] = [];
  for (let row = c.get<FollowUpRow>(followUpSql, 0); row; row = c.get<FollowUpRow>(followUpSql, row.acntid)) {
    if (row.enabled !== 1) continue;
    found.push({ acntid: row.acntid, host: row.imap_host, dueAt: later(row.due_at, row.retry_at) });
  }
  return found;
}
