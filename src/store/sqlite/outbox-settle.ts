/**
 * What follows when nothing of an entry is under way any more: its state by its recipients, when it is tried again, and what is
 * left to do after a delivery. Runs in the transaction that wrote the verdicts.
 */
import type { Instant } from '../../base/clock.ts';
import type { OutboxState } from '../outbox-entry.ts';
import { delayNoticeMs, entryStateOf, type RecipientCounts } from '../outbox-state.ts';
import type { Connection } from './connection.ts';

export interface Settlement {
  readonly at: Instant;
  readonly code: number | null;
  readonly lastError: string | null;
  readonly fileAt: Instant | null;
  readonly lookupAt: Instant;
}

interface EntryRow {
  acntid: number;
  sent_at: string | null;
  filed_at: string | null;
  in_reply_to_id: number | null;
  delayed_at: string | null;
  waiting_since: string;
}

const entrySql = `SELECT acntid, sent_at, filed_at, in_reply_to_id, delayed_at,
  max(created_at, coalesce(send_after, '')) AS waiting_since FROM email_outbox WHERE id = ?`;

/** Does nothing while another transaction of the entry is still running. */
export function settleEntry(c: Connection, outboxId: number, settlement: Settlement): void {
  const running = 'SELECT 1 FROM email_outbox_attempts WHERE outbox_id = ? AND verdict IS NULL LIMIT 1';
  if (c.get(running, outboxId)) return;
  const entry = c.get<EntryRow>(entrySql, outboxId);
  if (!entry) return;
  const outcome = outcomeOf(c, outboxId, entry, settlement.at);
  const { at, code, lastError } = settlement;
  c.run(
    `UPDATE email_outbox SET state = ?, next_attempt_at = ?, last_code = ?, last_error = ?, sent_at = coalesce(sent_at, ?),
      delayed_at = coalesce(delayed_at, ?) WHERE id = ?`,
    outcome.state,
    outcome.nextAt,
    code,
    lastError,
    outcome.isFirstDelivery ? at : null,
    outcome.isDelayed ? at : null,
    outboxId,
  );
  for (const kind of changesOf(outcome)) noteOutboxChange(c, kind, entry.acntid, outboxId, at);
  planFollowUps(c, outboxId, entry, outcome, settlement);
}

interface Outcome {
  readonly state: OutboxState;
  readonly nextAt: Instant | null;
  readonly isFirstDelivery: boolean;
  readonly hasRejected: boolean;
  readonly isDelayed: boolean;
}

function outcomeOf(c: Connection, outboxId: number, entry: EntryRow, at: Instant): Outcome {
  const { counts, nextAt } = countRecipients(c, outboxId, at);
  const delayedBefore = new Date(Date.parse(at) - delayNoticeMs).toISOString();
  return {
    state: entryStateOf(counts),
    nextAt,
    isFirstDelivery: counts.delivered > 0 && entry.sent_at === null,
    hasRejected: counts.rejected > 0,
    isDelayed: nextAt !== null && entry.delayed_at === null && entry.waiting_since < delayedBefore,
  };
}

/** For the change feed. A mail that some were refused is both delivered and, once nobody is waited for, rejected. */
function changesOf({ state, nextAt, isFirstDelivery, hasRejected, isDelayed }: Outcome): string[] {
  const isEnd = nextAt === null && state !== 'unknown';
  return [
    ...(isDelayed ? ['outbox_delayed'] : []),
    ...(isFirstDelivery ? ['outbox_delivered'] : []),
    ...(isEnd && hasRejected ? ['outbox_rejected'] : []),
    ...(state === 'unknown' ? ['outbox_unknown'] : []),
  ];
}

interface VerdictRow {
  verdict: 'delivered' | 'deferred' | 'rejected' | 'unknown' | null;
  count: number;
  next_at: string;
}

/** `nextAt`: when the first of those who are still to be served is due; null: nobody is. */
function countRecipients(
  c: Connection,
  outboxId: number,
  at: Instant,
): { counts: RecipientCounts; nextAt: Instant | null } {
  const sql = `SELECT verdict, COUNT(*) AS count, MIN(coalesce(next_attempt_at, '')) AS next_at
    FROM email_outbox_recipients WHERE outbox_id = ? GROUP BY verdict`;
  const rows = c.all<VerdictRow>(sql, outboxId);
  const counts = { untried: 0, delivered: 0, deferred: 0, rejected: 0, unknown: 0 };
  for (const row of rows) counts[row.verdict ?? 'untried'] = row.count;
  const waiting = rows.filter(({ verdict }) => verdict === null || verdict === 'deferred');
  const dues = waiting.map(({ next_at }) => (next_at === '' ? at : next_at)).sort();
  // Nothing goes out by itself while nobody knows what became of the last attempt.
  return { counts, nextAt: counts.unknown > 0 ? null : (dues[0] ?? null) };
}

/**
 * A copy and \Answered are due as soon as one recipient is served, also while another's fate is unknown: whatever settles that
 * later is no first delivery any more.
 */
function planFollowUps(
  c: Connection,
  outboxId: number,
  { acntid, filed_at, in_reply_to_id }: EntryRow,
  { state, isFirstDelivery }: Outcome,
  { fileAt, lookupAt, at }: Settlement,
): void {
  if (state === 'unknown') planFollowUp(c, outboxId, 'lookup', acntid, lookupAt);
  if (!isFirstDelivery) return;
  if (fileAt !== null && filed_at === null) planFollowUp(c, outboxId, 'file', acntid, fileAt);
  if (in_reply_to_id !== null) planFollowUp(c, outboxId, 'answer', acntid, at);
}

export function planFollowUp(c: Connection, outboxId: number, kind: string, acntid: number, dueAt: Instant): void {
  const known = 'SELECT 1 FROM outbox_followups WHERE outbox_id = ? AND kind = ?';
  if (c.get(known, outboxId, kind)) return;
  c.run(
    'INSERT INTO outbox_followups (outbox_id, kind, acntid, due_at) VALUES (?, ?, ?, ?)',
    outboxId,
    kind,
    acntid,
    dueAt,
  );
}

export function noteOutboxChange(c: Connection, kind: string, acntid: number, outboxId: number, at: Instant): void {
  c.run('INSERT INTO email_changes (at, kind, acntid, outbox_id) VALUES (?, ?, ?, ?)', at, kind, acntid, outboxId);
}
