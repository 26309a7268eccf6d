/**
 * Which accounts have outbox work, without looking at what is finished: skips from account to account over partial indexes, two
 * seeks each. Asked several times a second, so its cost follows the accounts with waiting mail, not the mail.
 */
import type { Instant } from '../../base/clock.ts';
import type { DueAccount, OutboxDue } from '../outbox-entry.ts';
import type { Connection } from './connection.ts';

interface Candidate {
  readonly acntid: number;
  readonly dueAt: Instant;
}

interface AccountRow {
  enabled: number;
  smtp_host: string | null;
  imap_host: string;
  smtp_retry_at: string | null;
  retry_at: string | null;
}

export function outboxDue(c: Connection, now: Instant, limit: number): OutboxDue {
  const send = [...interruptedAccounts(c), ...pendingAccounts(c)].map((candidate) => dueToSend(c, candidate));
  const file = followUpAccounts(c).map((candidate) => dueToFile(c, candidate));
  const all = [...send, ...file].filter((due) => due !== null);
  const coming = all.map(({ dueAt }) => dueAt).filter((dueAt) => dueAt > now);
  return {
    send: dueNow(send, now, limit),
    file: dueNow(file, now, limit),
    nextAt: coming.toSorted()[0] ?? null,
  };
}

/** Oldest first, each account once. */
function dueNow(candidates: readonly (DueAccount | null)[], now: Instant, limit: number): DueAccount[] {
  const due = candidates.filter((candidate) => candidate !== null && candidate.dueAt <= now) as DueAccount[];
  const sorted = due.sort((a, b) => (a.dueAt < b.dueAt ? -1 : a.dueAt > b.dueAt ? 1 : a.acntid - b.acntid));
  const seen = new Set<number>();
  return sorted.filter(({ acntid }) => !seen.has(acntid) && seen.add(acntid)).slice(0, limit);
}

const accountRow = (c: Connection, acntid: number): AccountRow | undefined =>
  c.get<AccountRow>(
    'SELECT enabled, smtp_host, imap_host, smtp_retry_at, retry_at FROM email_accounts WHERE acntid = ?',
    acntid,
  );

const later = (a: Instant, b: Instant | null): Instant => (b !== null && b > a ? b : a);

/** Null: the account is gone or disabled. */
function dueToSend(c: Connection, { acntid, dueAt }: Candidate): DueAccount | null {
  const row = accountRow(c, acntid);
  if (row?.enabled !== 1) return null;
  return { acntid, host: row.smtp_host, dueAt: later(dueAt, row.smtp_retry_at) };
}

function dueToFile(c: Connection, { acntid, dueAt }: Candidate): DueAccount | null {
  const row = accountRow(c, acntid);
  if (row?.enabled !== 1) return null;
  return { acntid, host: row.imap_host, dueAt: later(dueAt, row.retry_at) };
}

function interruptedAccounts(c: Connection): Candidate[] {
  const sql = "SELECT DISTINCT acntid FROM email_outbox WHERE state = 'sending'";
  return c.all<{ acntid: number }>(sql).map(({ acntid }) => ({ acntid, dueAt: '' }));
}

function pendingAccounts(c: Connection): Candidate[] {
  const next = 'SELECT MIN(acntid) AS acntid FROM email_outbox WHERE due_at IS NOT NULL AND acntid > ?';
  return skip(c, next).map((acntid) => ({ acntid, dueAt: earliest(c, acntid) }));
}

function followUpAccounts(c: Connection): Candidate[] {
  const first = 'SELECT MIN(due_at) AS at FROM outbox_followups WHERE acntid = ?';
  const next = 'SELECT MIN(acntid) AS acntid FROM outbox_followups WHERE acntid > ?';
  return skip(c, next).map((acntid) => ({ acntid, dueAt: c.get<{ at: string }>(first, acntid)?.at ?? '' }));
}

function skip(c: Connection, nextSql: string): number[] {
  const found: number[] = [];
  for (let acntid = 0; ; ) {
    const next = c.get<{ acntid: number | null }>(nextSql, acntid)?.acntid ?? null;
    if (next === null) return found;
    found.push(next);
    acntid = next;
  }
}

function earliest(c: Connection, acntid: number): Instant {
  const sql = 'SELECT MIN(due_at) AS at FROM email_outbox WHERE acntid = ? AND priority = ? AND due_at IS NOT NULL';
  const dues = waitingPriorities(c, acntid).map((priority) => c.get<{ at: string }>(sql, acntid, priority)?.at ?? '');
  return dues.toSorted()[0] ?? '';
}

/** An application with more levels than this has its lowest wait until the highest are sent. */
const levelsMax = 100;

/** Priorities with waiting entries, highest first: one seek each. */
export function waitingPriorities(c: Connection, acntid: number): number[] {
  const levels: number[] = [];
  const highest = 'SELECT MAX(priority) AS priority FROM email_outbox WHERE acntid = ? AND due_at IS NOT NULL';
  let next = c.get<{ priority: number | null }>(highest, acntid)?.priority ?? null;
  while (next !== null && levels.length < levelsMax) {
    levels.push(next);
    next = c.get<{ priority: number | null }>(`${highest} AND priority < ?`, acntid, next)?.priority ?? null;
  }
  return levels;
}
