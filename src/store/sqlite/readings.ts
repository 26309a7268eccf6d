/**
 * What a reading found, written in the transaction that ends its claim: texts, parts, index rows, state, and a change row for
 * applications that wait for the text. A reading that cannot be stored fails alone.
 */
import type { Instant } from '../../base/clock.ts';
import type { ReadCounts, Reading, ReadRecord } from '../reading.ts';
import { noteChange } from './changes.ts';
import { endClaim, recordFailure } from './claims.ts';
import type { Connection } from './connection.ts';
import { isRowFailure } from './failure.ts';
import { savepoint } from './savepoint.ts';
import { indexText } from './search-index.ts';

/** All at once; only when that fails, one by one, to find the reading that did it. */
export function recordRead(c: Connection, record: ReadRecord): ReadCounts {
  try {
    return savepoint(c, 'readings', () => countOf(record.readings.map((reading) => store(c, reading, record))));
  } catch (error) {
    if (!isRowFailure(error)) throw error;
    return countOf(record.readings.map((reading) => storeAlone(c, reading, record)));
  }
}

type Outcome = 'read' | 'failed' | 'passed over';

const countOf = (outcomes: readonly Outcome[]): ReadCounts => ({
  readCount: outcomes.filter((outcome) => outcome === 'read').length,
  failedCount: outcomes.filter((outcome) => outcome === 'failed').length,
});

function storeAlone(c: Connection, reading: Reading, record: ReadRecord): Outcome {
  try {
    return savepoint(c, 'reading', () => store(c, reading, record));
  } catch (error) {
    if (!isRowFailure(error)) throw error;
    const failure = `what was read could not be stored: ${error instanceof Error ? error.message : String(error)}`;
    return store(c, { contentId: reading.contentId, failure }, record);
  }
}

function store(c: Connection, reading: Reading, { readerVersion, at }: ReadRecord): Outcome {
  if ('failure' in reading)
    return recordFailure(c, reading.contentId, reading.failure, readerVersion) ? 'failed' : 'passed over';
  endClaim(c, reading.contentId);
  const sql = `UPDATE email_contents SET parse_state = 'parsed', parse_note = ?, reader_version = ?, preview = ?,
    has_attachments = ? WHERE id = ? AND parse_state = 'pending'`;
  const { contentId, note, preview, hasAttachments } = reading;
  if (c.run(sql, note, readerVersion, preview, hasAttachments ? 1 : 0, contentId) === 0) return 'passed over';
  forgetReading(c, contentId);
  storeText(c, reading);
  storeParts(c, reading);
  noteRead(c, contentId, at);
  return 'read';
}

/** A content read before, by an older reader. The trigger takes its index rows along. */
function forgetReading(c: Connection, contentId: number): void {
  if (!c.get('SELECT 1 FROM email_texts WHERE content_id = ?', contentId)) return;
  c.run('DELETE FROM email_texts WHERE content_id = ?', contentId);
  c.run('DELETE FROM email_attachments WHERE content_id = ?', contentId);
}

type Read = Exclude<Reading, { failure: string }>;

function storeText(c: Connection, { contentId, text, html, search }: Read): void {
  const sql = `INSERT INTO email_texts (content_id, body_text, body_html, subject, sender, recipients, filenames, words)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
  const { subject, sender, recipients, filenames, words } = search;
  c.run(sql, contentId, text, html, subject, sender, recipients, filenames, words);
  indexText(c, contentId, { ...search, text });
}

function storeParts(c: Connection, { contentId, attachments }: Read): void {
  const sql = `INSERT INTO email_attachments (content_id, part, filename, content_type, size, disposition, cid)
    VALUES (?, ?, ?, ?, ?, ?, ?)`;
  for (const { part, filename, contentType, size, disposition, cid } of attachments)
    c.run(sql, contentId, part, filename, contentType, size, disposition, cid);
}

interface Placed {
  id: number;
  acntid: number;
  emfdid: number;
  is_first_sync: number;
}

/** One row a message; none while the folder's first sync is coming in, where nobody waits for a single one. */
function noteRead(c: Connection, contentId: number, at: Instant): void {
  const sql = `SELECT m.id, m.acntid, m.emfdid, f.first_synced_at IS NULL AS is_first_sync FROM email_messages AS m
    JOIN email_folders AS f ON f.emfdid = m.emfdid WHERE m.content_id = ? AND m.vanished_at IS NULL ORDER BY m.id`;
  for (const { id, acntid, emfdid, is_first_sync } of c.all<Placed>(sql, contentId))
    if (is_first_sync === 0) noteChange(c, 'message_read', { acntid, emfdid, at }, id);
}
