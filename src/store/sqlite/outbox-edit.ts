/** What people and applications do to entries: new ones, retry, cancel, hold, and settling what is unknown. */
import type { Instant } from '../../base/clock.ts';
import { EngineError } from '../../base/errors.ts';
import type { NewOutboxEntry, OutboxAction, OutboxState, Resolution } from '../outbox-entry.ts';
import { requireAccount } from './account-row.ts';
import type { Connection } from './connection.ts';
import { isDue } from './no-time.ts';
import { noteOutboxChange, planFollowUp, settleEntry } from './outbox-settle.ts';

export function enqueueOutbox(c: Connection, entry: NewOutboxEntry): { id: number; isNew: boolean } {
  requireAccount(c, entry.acntid);
  const same = 'SELECT id FROM email_outbox WHERE acntid = ? AND idempotency_key = ?';
  const known =
    entry.idempotencyKey === null ? undefined : c.get<{ id: number }>(same, entry.acntid, entry.idempotencyKey);
  return known ? { id: known.id, isNew: false } : { id: insertEntry(c, entry), isNew: true };
}

function insertEntry(c: Connection, entry: NewOutboxEntry): number {
  const { columns } = entry;
  const sql = `INSERT INTO email_outbox (acntid, state, smtp_from, recipients, from_address, to_addresses, cc_addresses,
    bcc_addresses, reply_to, in_reply_to_id, raw, subject, body_text, body_html, headers, attachments, message_id_header,
    idempotency_key, priority, send_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  return c.insert(
    sql,
    entry.acntid,
    entry.state,
    columns.smtpFrom ?? null,
    columns.recipients ?? null,
    columns.fromAddress ?? null,
    columns.toAddresses ?? null,
    columns.ccAddresses ?? null,
    columns.bccAddresses ?? null,
    columns.replyTo ?? null,
    columns.inReplyToId ?? null,
    columns.raw ?? null,
    columns.subject ?? null,
    columns.bodyText ?? null,
    columns.bodyHtml ?? null,
    columns.headers ?? null,
    columns.attachments ?? null,
    columns.messageIdHeader ?? null,
    entry.idempotencyKey,
    entry.priority,
    entry.sendAfter,
  );
}

interface StateRow {
  acntid: number;
  state: OutboxState;
  next_attempt_at: string | null;
}

function requireEntry(c: Connection, id: number): StateRow {
  const row = c.get<StateRow>('SELECT acntid, state, next_attempt_at FROM email_outbox WHERE id = ?', id);
  if (!row) throw new EngineError('not_found', `outbox entry ${id}`);
  return row;
}

const allowed: Readonly<Record<OutboxAction, readonly OutboxState[]>> = {
  retry: ['queued', 'held', 'deferred', 'delivered', 'rejected', 'cancelled'],
  cancel: ['queued', 'held', 'deferred', 'delivered'],
  hold: ['queued', 'deferred'],
};

export function changeOutbox(c: Connection, id: number, action: OutboxAction, at: Instant): void {
  const row = requireEntry(c, id);
  if (!allowed[action].includes(row.state)) throw notPossible(id, row.state, action);
  if (action === 'retry' && isExpired(c, id)) throw notPossible(id, 'expired', action);
  if (action === 'retry') retry(c, id, row, at);
  else if (action === 'hold') c.run("UPDATE email_outbox SET state = 'held' WHERE id = ?", id);
  else cancel(c, id, row, at);
}

/**
 * All of every account that is still to go to somebody; how many. Also what is `sending`: in a copy of the store nobody knows how that
 * ended. Its attempts stay open, so a retry ends them first; beside an engine that lives, the outcome is written over it.
 */
export const holdWaiting = (c: Connection): number =>
  c.run(`UPDATE email_outbox SET state = 'held' WHERE state IN ('queued', 'deferred', 'sending')
    OR (state = 'delivered' AND next_attempt_at IS NOT NULL)`);

const isExpired = (c: Connection, id: number): boolean =>
  c.get('SELECT 1 FROM email_outbox WHERE id = ? AND composed_at IS NOT NULL AND raw IS NULL', id) !== undefined;

/** Served recipients stay served; who was refused or put off gets another try now. An application may say `delivered` of its own. */
function retry(c: Connection, id: number, { state }: StateRow, at: Instant): void {
  const again = `UPDATE email_outbox_recipients SET verdict = NULL, next_attempt_at = NULL
    WHERE outbox_id = ? AND verdict IN ('rejected', 'deferred')`;
  const hasAgain = c.run(again, id) > 0;
  const untried = 'SELECT 1 FROM email_outbox_recipients WHERE outbox_id = ? AND verdict IS NULL LIMIT 1';
  if (!isServed(c, id)) {
    if (state === 'delivered') throw notPossible(id, state, 'retry');
    c.run("UPDATE email_outbox SET state = 'queued', next_attempt_at = NULL, last_error = NULL WHERE id = ?", id);
    return;
  }
  if (!hasAgain && !c.get(untried, id)) throw notPossible(id, 'delivered', 'retry');
  c.run("UPDATE email_outbox SET state = 'delivered', next_attempt_at = ? WHERE id = ?", at, id);
}

const isServed = (c: Connection, id: number): boolean =>
  c.get("SELECT 1 FROM email_outbox_recipients WHERE outbox_id = ? AND verdict = 'delivered' LIMIT 1", id) !==
  undefined;

/** Of a mail that some have, only the tries for the others end. */
function cancel(c: Connection, id: number, { acntid, state, next_attempt_at }: StateRow, at: Instant): void {
  if (state === 'delivered' && next_attempt_at === null) throw notPossible(id, state, 'cancel');
  const next = state === 'delivered' || isServed(c, id) ? 'delivered' : 'cancelled';
  c.run('UPDATE email_outbox SET state = ?, next_attempt_at = NULL WHERE id = ?', next, id);
  noteOutboxChange(c, 'outbox_cancelled', acntid, id, at);
}

const notPossible = (id: number, state: OutboxState | 'expired', action: string): EngineError =>
  new EngineError('outbox_not_possible', `${action} of outbox entry ${id}, which is ${state}`);

const hasRecipients = (c: Connection, id: number): boolean =>
  c.get('SELECT 1 FROM email_outbox_recipients WHERE outbox_id = ? LIMIT 1', id) !== undefined;

/** Whoever was still to be served will not be; one whose recipients have verdicts (put back by hand) is what those make it. */
export function rejectEntry(c: Connection, id: number, lastError: string, at: Instant): void {
  const { acntid } = requireEntry(c, id);
  if (hasRecipients(c, id)) {
    const unserved = `UPDATE email_outbox_recipients SET verdict = 'rejected', response = ?, next_attempt_at = NULL
      WHERE outbox_id = ? AND (verdict IS NULL OR verdict = 'deferred')`;
    c.run(unserved, lastError, id);
    settleEntry(c, id, { at, code: null, lastError, fileAt: null, lookupAt: at });
    return;
  }
  const sql = `UPDATE email_outbox SET state = 'rejected', last_error = ?, next_attempt_at = NULL WHERE id = ? AND ${isDue('due_at')}`;
  if (c.run(sql, lastError, id, at) > 0) noteOutboxChange(c, 'outbox_rejected', acntid, id, at);
}

export function resolveUnknown(c: Connection, id: number, resolution: Resolution, at: Instant): void {
  const { state, acntid } = requireEntry(c, id);
  if (state !== 'unknown') throw notPossible(id, state, 'resolve');
  if (resolution.startsWith('resend') && isExpired(c, id)) throw notPossible(id, 'expired', resolution);
  const isSent = resolution === 'found' || resolution === 'sent';
  c.run('UPDATE email_outbox SET resolved = ? WHERE id = ?', resolution, id);
  if (resolution === 'found') c.run('UPDATE email_outbox SET filed_at = coalesce(filed_at, ?) WHERE id = ?', at, id);
  c.run("DELETE FROM outbox_followups WHERE outbox_id = ? AND kind = 'lookup'", id);
  if (isSent && !hasRecipients(c, id)) {
    deliverUnseen(c, id, acntid, at);
    return;
  }
  settleRecipients(c, id, isSent);
  const error = isSent ? null : 'sent again although the outcome of the last attempt is unknown';
  settleEntry(c, id, { at, code: null, lastError: error, fileAt: null, lookupAt: at });
  // A copy is looked for before one is made, as always.
  if (resolution === 'sent') planFollowUp(c, id, 'file', acntid, at);
}

/** Where an application made it `unknown`, nobody's verdict says so: then all are meant who were still to be served. */
function settleRecipients(c: Connection, id: number, isSent: boolean): void {
  const settle = 'UPDATE email_outbox_recipients SET verdict = ?, next_attempt_at = NULL WHERE outbox_id = ?';
  const verdict = isSent ? 'delivered' : null;
  if (c.run(`${settle} AND verdict = 'unknown'`, verdict, id) > 0) return;
  c.run(`${settle} AND (verdict IS NULL OR verdict = 'deferred')`, verdict, id);
}

/** Never composed here, and sent all the same: by the application itself, which made it `unknown`. There is no copy to be filed. */
function deliverUnseen(c: Connection, id: number, acntid: number, at: Instant): void {
  const sql = `UPDATE email_outbox SET state = 'delivered', next_attempt_at = NULL, last_error = NULL,
    sent_at = coalesce(sent_at, ?) WHERE id = ?`;
  c.run(sql, at, id);
  noteOutboxChange(c, 'outbox_delivered', acntid, id, at);
}
