/** Outbox entries as they are read: for sending, for people, and their bytes. */
import type { Instant } from '../../base/clock.ts';
import type { OutboxColumns, OutboxEntry } from '../outbox-entry.ts';
import type { OutboxAttempt, OutboxDetail, OutboxFilter, OutboxRecipient, OutboxSummary } from '../outbox-view.ts';
import type { Connection, SqlValue } from './connection.ts';
import { dueEntries } from './outbox-due.ts';

/** What one batch may hold in memory; a single entry may be larger. */
const batchBytesMax = 16 * 1024 * 1024;
/** Recipients of an entry who are due within this time of the first go out with it. */
const togetherMs = 60_000;

/** Nothing of an account that was disabled, or is being removed, while a task sends its mail. */
export function outboxBatch(c: Connection, acntid: number, now: Instant, limit: number): OutboxEntry[] {
  if (!c.get('SELECT 1 FROM email_accounts WHERE acntid = ? AND enabled = 1', acntid)) return [];
  const entries: OutboxEntry[] = [];
  let bytes = 0;
  for (const due of dueEntries(c, acntid, now, limit)) {
    bytes += due.bytes;
    if (bytes > batchBytesMax && entries.length > 0) return entries;
    const entry = entryOf(c, due.id, now);
    if (entry) entries.push(entry);
  }
  return entries;
}

interface EntryRow extends OutboxColumns {
  id: number;
  acntid: number;
  composedAt: string | null;
  createdAt: string;
  sendAfter: string | null;
  attemptCount: number;
}

const entrySql = `SELECT id, acntid, smtp_from AS smtpFrom, recipients, from_address AS fromAddress,
  to_addresses AS toAddresses, cc_addresses AS ccAddresses, bcc_addresses AS bccAddresses, reply_to AS replyTo,
  in_reply_to_id AS inReplyToId, raw, subject, body_text AS bodyText, body_html AS bodyHtml, headers, attachments,
  message_id_header AS messageIdHeader, composed_at AS composedAt, created_at AS createdAt, send_after AS sendAfter,
  attempt_count AS attemptCount FROM email_outbox WHERE id = ?`;

function entryOf(c: Connection, id: number, now: Instant): OutboxEntry | undefined {
  const row = c.get<EntryRow>(entrySql, id);
  if (!row) return undefined;
  const { acntid, composedAt, createdAt, sendAfter, attemptCount, ...columns } = row;
  const isComposed = composedAt !== null;
  return {
    id,
    acntid,
    columns,
    isComposed,
    createdAt,
    sendAfter,
    attemptCount,
    firstAttemptAt: isComposed ? firstAttemptAt(c, id, now) : null,
    pending: isComposed ? pendingRecipients(c, id, now) : [],
  };
}

/** One that lies ahead was made by a clock that was wrong: counted from it, the mail would be tried for years. */
function firstAttemptAt(c: Connection, id: number, now: Instant): Instant | null {
  const sql = `SELECT started_at AS at FROM email_outbox_attempts WHERE outbox_id = ? AND started_at <= ?
    ORDER BY id LIMIT 1`;
  return c.get<{ at: string }>(sql, id, now)?.at ?? null;
}

function pendingRecipients(c: Connection, id: number, now: Instant): string[] {
  const until = new Date(Date.parse(now) + togetherMs).toISOString();
  const sql = `SELECT address FROM email_outbox_recipients WHERE outbox_id = ? AND (verdict IS NULL
    OR (verdict = 'deferred' AND coalesce(next_attempt_at, '') <= ?)) ORDER BY rowid`;
  return c.all<{ address: string }>(sql, id, until).map(({ address }) => address);
}

const summaryColumns = `id, acntid, state, subject, message_id_header AS messageIdHeader, priority, send_after AS sendAfter,
  attempt_count AS attemptCount, next_attempt_at AS nextAttemptAt, last_code AS lastCode, last_error AS lastError,
  created_at AS createdAt, sent_at AS sentAt, filed_at AS filedAt`;

export function outboxEntries(c: Connection, filter: OutboxFilter): OutboxSummary[] {
  const wishes: [string, SqlValue | undefined][] = [
    ['acntid = ?', filter.acntid],
    ['id < ?', filter.beforeId],
    ['state IN (SELECT value FROM json_each(?))', filter.states && JSON.stringify(filter.states)],
  ];
  const given = wishes.filter((wish): wish is [string, SqlValue] => wish[1] !== undefined);
  const where = ['1', ...given.map(([condition]) => condition)].join(' AND ');
  const sql = `SELECT ${summaryColumns} FROM email_outbox WHERE ${where} ORDER BY id DESC LIMIT ?`;
  return c.all<OutboxSummary>(sql, ...given.map(([, value]) => value), filter.limit);
}

const detailSql = `SELECT ${summaryColumns}, smtp_from AS smtpFrom, to_addresses AS toAddresses, cc_addresses AS ccAddresses,
  in_reply_to_id AS inReplyToId, idempotency_key AS idempotencyKey, x_backproc_id AS xBackprocId, delayed_at AS delayedAt,
  resolved, sent_message_id AS sentMessageId, file_error AS fileError, length(raw) AS rawBytes FROM email_outbox WHERE id = ?`;

const recipientsSql = `SELECT address, verdict, code, response, next_attempt_at AS nextAttemptAt
  FROM email_outbox_recipients WHERE outbox_id = ? ORDER BY rowid`;

const attemptsSql = `SELECT id, started_at AS startedAt, duration_ms AS durationMs, phase, verdict, code, response,
  recipient_count AS recipientCount FROM email_outbox_attempts WHERE outbox_id = ? ORDER BY id`;

export function outboxDetail(c: Connection, id: number): OutboxDetail | undefined {
  const row = c.get<Omit<OutboxDetail, 'recipients' | 'attempts'>>(detailSql, id);
  if (!row) return undefined;
  const recipients = c.all<OutboxRecipient>(recipientsSql, id);
  return { ...row, recipients, attempts: c.all<OutboxAttempt>(attemptsSql, id) };
}

export function outboxRaw(c: Connection, id: number): Uint8Array | undefined {
  const raw = c.get<{ raw: Uint8Array | string | null }>('SELECT raw FROM email_outbox WHERE id = ?', id)?.raw;
  return typeof raw === 'string' ? Buffer.from(raw, 'utf8') : (raw ?? undefined);
}

export const dataVersion = (c: Connection): number => Number(c.database.pragma('data_version', { simple: true }));
