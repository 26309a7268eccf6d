/**
 * What has expired goes, a bounded step at a time. A content goes in two steps: its last row, and an hour later the content, if
 * no row has it again by then. A thread may have read of it just before the row went (EMAILID seen again), and its batch must
 * not meet a content that is gone.
 */
import type { Instant } from '../../base/clock.ts';
import type { ExpiryLimits, ExpiryReport } from '../upkeep.ts';
import { forEachInTime, type Part, stepRowsMax, stepTime } from './bounded-step.ts';
import type { Connection } from './connection.ts';

const changeRowsMax = 5000;
const nothing: Part = { count: 0, isDone: true };

export function expire(c: Connection, limits: ExpiryLimits): ExpiryReport {
  const hasTime = stepTime();
  const { at, tombstonesBefore, contentsBefore, changesBefore, outboxBefore } = limits;
  const tombstones = tombstonesBefore === null ? nothing : expireTombstones(c, tombstonesBefore, at, hasTime);
  const contents = expireContents(c, contentsBefore, at, hasTime);
  const changes = changesBefore === null ? nothing : expireChanges(c, changesBefore);
  const outbox = outboxBefore === null ? nothing : expireOutbox(c, outboxBefore, at, hasTime);
  return {
    tombstoneCount: tombstones.count,
    contentCount: contents.count,
    changeCount: changes.count,
    outboxCount: outbox.count,
    isDone: [tombstones, contents, changes, outbox].every(({ isDone }) => isDone),
  };
}

/** One that an unsent mail answers stays: its headers are still to be read. */
function expireTombstones(c: Connection, before: Instant, at: Instant, hasTime: () => boolean): Part {
  const sql = `SELECT id, content_id AS contentId FROM email_messages AS m WHERE vanished_at < ? AND NOT EXISTS (
      SELECT 1 FROM email_outbox WHERE in_reply_to_id = m.id AND state IN ('queued', 'held', 'sending', 'deferred', 'unknown'))
    ORDER BY vanished_at LIMIT ?`;
  const rows = c.all<{ id: number; contentId: number }>(sql, before, stepRowsMax);
  return forEachInTime(rows, hasTime, ({ id, contentId }) => {
    c.run('DELETE FROM email_messages WHERE id = ?', id);
    c.run('INSERT OR REPLACE INTO expiring_contents (content_id, left_at) VALUES (?, ?)', contentId, at);
  });
}

/** Raw bytes, texts and attachments go with the content (ON DELETE CASCADE), and so does its row among the expiring. */
function expireContents(c: Connection, before: Instant, at: Instant, hasTime: () => boolean): Part {
  c.run('UPDATE expiring_contents SET left_at = ? WHERE left_at IS NULL', at);
  const sql = 'SELECT content_id AS id FROM expiring_contents WHERE left_at < ? ORDER BY left_at LIMIT ?';
  let gone = 0;
  const part = forEachInTime(c.all<{ id: number }>(sql, before, stepRowsMax), hasTime, ({ id }) => {
    gone += c.run(
      'DELETE FROM email_contents WHERE id = ? AND NOT EXISTS (SELECT 1 FROM email_messages WHERE content_id = ?)',
      id,
      id,
    );
    c.run('DELETE FROM expiring_contents WHERE content_id = ?', id);
  });
  return { count: gone, isDone: part.isDone };
}

/**
 * From the oldest on, up to the last of the first rows that has expired: a row dated wrongly by a clock that was set forward goes
 * with its neighbours. The newest row always stays, so that a reader sees from MIN(seq) whether it was away for too long.
 */
function expireChanges(c: Connection, before: Instant): Part {
  const sql = `SELECT MAX(seq) AS seq FROM (SELECT seq, at FROM email_changes ORDER BY seq LIMIT ?)
    WHERE at < ? AND seq < (SELECT MAX(seq) FROM email_changes)`;
  const last = c.get<{ seq: number | null }>(sql, changeRowsMax, before)?.seq ?? null;
  if (last === null) return nothing;
  const count = c.run('DELETE FROM email_changes WHERE seq <= ?', last);
  return { count, isDone: false };
}

/** One whose Sent copy is still to be filed keeps its bytes. The entry and its recipients stay: they say what was sent to whom, and its idempotency_key still keeps a second one out. */
function expireOutbox(c: Connection, before: Instant, at: Instant, hasTime: () => boolean): Part {
  const sql = `SELECT id FROM email_outbox AS e WHERE expired_at IS NULL AND state IN ('delivered', 'rejected', 'cancelled')
    AND created_at < ? AND coalesce(sent_at, '') < ? AND next_attempt_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM email_outbox_attempts WHERE outbox_id = e.id AND started_at >= ?)
    AND NOT EXISTS (SELECT 1 FROM outbox_followups WHERE outbox_id = e.id)
    ORDER BY created_at LIMIT ?`;
  return forEachInTime(c.all<{ id: number }>(sql, before, before, before, stepRowsMax), hasTime, ({ id }) => {
    c.run('DELETE FROM email_outbox_attempts WHERE outbox_id = ?', id);
    c.run(
      'UPDATE email_outbox SET raw = NULL, body_text = NULL, body_html = NULL, attachments = NULL, expired_at = ? WHERE id = ?',
      at,
      id,
    );
  });
}
