/** Attempts that did not come to their own end: taken back, or left behind by an engine that died. */
import type { Instant } from '../../base/clock.ts';
import type { RecoveredAttempts } from '../outbox-entry.ts';
import { interruptedWaitMs, interruptionsMax, recoveredVerdict, waitMsMax } from '../outbox-state.ts';
import type { Connection } from './connection.ts';
import { type Settlement, settleEntry } from './outbox-settle.ts';

/** The server may still be at it: its copy in Sent is not looked for earlier. */
const lookupMs = 60_000;

/** Of an entry of several transactions the first delivery may be settled only now. Where no copy is wanted, filing sees to it. */
const settlementAt = (at: Instant, code: number | null, lastError: string | null): Settlement => ({
  at,
  code,
  lastError,
  fileAt: at,
  lookupAt: new Date(Date.parse(at) + lookupMs).toISOString(),
});

interface AttemptRow {
  id: number;
  outbox_id: number;
  phase: string;
}

export function releaseAttempts(
  c: Connection,
  attemptIds: readonly number[],
  lastError: string | null,
  at: Instant,
): void {
  const find = 'SELECT id, outbox_id, phase FROM email_outbox_attempts WHERE id = ? AND verdict IS NULL';
  const rows = attemptIds.flatMap((id) => c.get<AttemptRow>(find, id) ?? []);
  for (const { id } of rows) c.run('DELETE FROM email_outbox_attempts WHERE id = ?', id);
  for (const outboxId of new Set(rows.map((row) => row.outbox_id))) {
    // Of an entry of several transactions some may have been tried.
    const tries = 'SELECT COUNT(DISTINCT started_at) AS count FROM email_outbox_attempts WHERE outbox_id = ?';
    const count = c.get<{ count: number }>(tries, outboxId)?.count ?? 0;
    c.run('UPDATE email_outbox SET attempt_count = min(attempt_count, ?) WHERE id = ?', count, outboxId);
    settleEntry(c, outboxId, settlementAt(at, null, lastError));
  }
}

export function recoverAttempts(c: Connection, acntid: number | null, at: Instant): RecoveredAttempts {
  const entries = sendingEntries(c, acntid);
  const open = 'SELECT id, outbox_id, phase FROM email_outbox_attempts WHERE outbox_id = ? AND verdict IS NULL';
  const attempts = entries.flatMap((id) => c.all<AttemptRow>(open, id));
  for (const attempt of attempts) endInterrupted(c, attempt, at);
  for (const id of entries) settleEntry(c, id, settlementAt(at, null, 'the engine ended while this was being sent'));
  const unknown = attempts.filter(({ phase }) => recoveredVerdict(phase) === 'unknown').length;
  return { retried: attempts.length - unknown, unknown };
}

export const hasInterrupted = (c: Connection, acntid: number | null): boolean => sendingEntries(c, acntid).length > 0;

/**
 * Also what an application made `queued` while it was being sent; what it cancelled stays so. CROSS: the few open attempts first, not
 * all that the account ever sent.
 */
function sendingEntries(c: Connection, acntid: number | null): number[] {
  const ofAccount = acntid === null ? '' : 'AND o.acntid = ?';
  const sql = `SELECT o.id FROM email_outbox AS o WHERE o.state = 'sending' ${ofAccount} UNION
    SELECT o.id FROM email_outbox_attempts AS a CROSS JOIN email_outbox AS o ON o.id = a.outbox_id
    WHERE a.verdict IS NULL AND o.due_at IS NOT NULL ${ofAccount}`;
  return c.all<{ id: number }>(sql, ...(acntid === null ? [] : [acntid, acntid])).map(({ id }) => id);
}

/** The final phase `sending` is what an interruption before the body looks like ever after. */
function endInterrupted(c: Connection, { id, outbox_id, phase }: AttemptRow, at: Instant): void {
  const verdict = recoveredVerdict(phase);
  const response =
    verdict === 'unknown' ? 'interrupted after the body began to leave' : 'interrupted before the body began to leave';
  c.run('UPDATE email_outbox_attempts SET verdict = ?, response = ? WHERE id = ?', verdict, response, id);
  const waitMs = verdict === 'deferred' && interruptionsInRow(c, outbox_id) >= interruptionsMax ? interruptedWaitMs : 0;
  const nextAt = verdict === 'deferred' ? new Date(Date.parse(at) + waitMs).toISOString() : null;
  c.run(
    'UPDATE email_outbox_recipients SET verdict = ?, response = ?, next_attempt_at = ? WHERE outbox_id = ? AND attempt_id = ?',
    verdict,
    response,
    nextAt,
    outbox_id,
    id,
  );
}

/** An account that waits for an operator may be told to wait for days (EMAIL_AUTH_ERROR_CHECK_RETRY_TIME). */
export function clampWaits(c: Connection, now: Instant, authRetryMs: number): void {
  const latestIn = (ms: number): Instant => new Date(Date.parse(now) + ms).toISOString();
  const latest = latestIn(waitMsMax);
  c.run('UPDATE email_outbox SET next_attempt_at = ? WHERE due_at IS NOT NULL AND next_attempt_at > ?', now, latest);
  c.run('UPDATE outbox_followups SET due_at = ? WHERE due_at > ?', now, latest);
  const account = 'UPDATE email_accounts SET smtp_retry_at = ? WHERE smtp_retry_at > ?';
  c.run(account, now, latestIn(Math.max(waitMsMax, authRetryMs)));
}

function interruptionsInRow(c: Connection, outboxId: number): number {
  const sql = 'SELECT phase, verdict FROM email_outbox_attempts WHERE outbox_id = ? ORDER BY id DESC LIMIT ?';
  const last = c.all<{ phase: string; verdict: string | null }>(sql, outboxId, interruptionsMax);
  return last.every(({ phase, verdict }) => phase === 'sending' && verdict === 'deferred') ? last.length : 0;
}
