/**
 * When sync stores a message of the Sent folder that the outbox sent, the entry is linked to it, in the transaction that stores
 * it. Other folders pay nothing; a batch of Sent pays one seek, and one a message only while the account has entries to link.
 */
import type { Instant } from '../../base/clock.ts';
import type { WindowBatch } from '../store.ts';
import type { Connection } from './connection.ts';
import type { FolderRow } from './folder-row.ts';

export function linkSentCopies(c: Connection, folder: FolderRow, batch: WindowBatch): void {
  if (folder.role !== 'sent' || !hasUnlinked(c, folder.acntid)) return;
  const { uidValidity, at } = batch;
  for (const { uid, headers } of batch.messages) link(c, folder, { uidValidity, uid, at }, headers.messageIdHeader);
  for (const { uid, contentId } of batch.placements) link(c, folder, { uidValidity, uid, at }, headerOf(c, contentId));
}

function headerOf(c: Connection, contentId: number): string | null {
  const sql = 'SELECT message_id_header AS header FROM email_contents WHERE id = ?';
  return c.get<{ header: string | null }>(sql, contentId)?.header ?? null;
}

interface Place {
  readonly uidValidity: number;
  readonly uid: number;
  readonly at: Instant;
}

const unlinked = 'sent_message_id IS NULL AND message_id_header IS NOT NULL';

function hasUnlinked(c: Connection, acntid: number): boolean {
  return c.get(`SELECT 1 FROM email_outbox WHERE acntid = ? AND ${unlinked} LIMIT 1`, acntid) !== undefined;
}

/** An unknown entry is not settled here: whether its copy proves anything is for the outbox to judge, and now is the time. */
function link(c: Connection, folder: FolderRow, { uidValidity, uid, at }: Place, messageIdHeader: string | null): void {
  if (messageIdHeader === null) return;
  const find = `SELECT id, state FROM email_outbox WHERE acntid = ? AND message_id_header = ? AND ${unlinked} LIMIT 1`;
  const entry = c.get<{ id: number; state: string }>(find, folder.acntid, messageIdHeader);
  if (!entry) return;
  const message =
    'SELECT id FROM email_messages WHERE emfdid = ? AND uidvalidity = ? AND uid = ? AND vanished_at IS NULL';
  const id = c.get<{ id: number }>(message, folder.emfdid, uidValidity, uid)?.id ?? null;
  c.run('UPDATE email_outbox SET sent_message_id = ? WHERE id = ?', id, entry.id);
  if (entry.state === 'delivered') {
    c.run('UPDATE email_outbox SET filed_at = coalesce(filed_at, ?) WHERE id = ?', at, entry.id);
    c.run("DELETE FROM outbox_followups WHERE outbox_id = ? AND kind = 'file'", entry.id);
  } else {
    c.run("UPDATE outbox_followups SET due_at = ? WHERE outbox_id = ? AND kind = 'lookup'", at, entry.id);
  }
}
