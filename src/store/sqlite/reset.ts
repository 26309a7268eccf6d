/**
 * A changed UIDVALIDITY (RFC 9051 2.3.1.1). Recognised rows move to the new generation with their ids; the others stay live
 * as orphans, for storeBatch to adopt by content. Those left when nothing is pending are missing like any other row: the next
 * listing buries them, or the deletion brake holds them.
 */
import { EngineError } from '../../base/errors.ts';
import { hasUid, uidSetOf, unionUids } from '../../base/uid-set.ts';
import type { ResetRecord } from '../store.ts';
import { noteChange } from './changes.ts';
import type { Connection } from './connection.ts';
import { type FolderRow, requireFolder } from './folder-row.ts';
import { writeCheckpoint } from './listing.ts';
import { refreshHeld, vanishRows } from './tombstones.ts';

export function applyReset(c: Connection, record: ResetRecord): void {
  const folder = requireFolder(c, record.emfdid);
  const isOther = folder.uidvalidity !== record.uidValidity;
  if (isOther) enterGeneration(c, folder, record);
  for (const match of record.matches) moveRow(c, folder, record, match);
  writeCheckpoint(c, record.emfdid, record.listedUid, record.pending);
  if (!isOther || folder.uidvalidity === null) return;
  noteChange(c, 'folder_reset', { acntid: folder.acntid, emfdid: folder.emfdid, at: record.at });
}

function enterGeneration(c: Connection, folder: FolderRow, record: ResetRecord): void {
  const { emfdid, acntid } = folder;
  vanishFormer(c, { acntid, emfdid, at: record.at }, record);
  c.run('DELETE FROM email_quarantine WHERE emfdid = ? AND uidvalidity <> ?', emfdid, record.uidValidity);
  c.run('UPDATE email_messages SET held_at = NULL WHERE emfdid = ? AND held_at IS NOT NULL', emfdid);
  refreshHeld(c, emfdid);
  c.run(
    `UPDATE email_folders SET uidvalidity = ?, uidnext = NULL, highestmodseq = NULL, message_count = NULL,
      unseen_count = NULL, reset_count = reset_count + ? WHERE emfdid = ?`,
    record.uidValidity,
    folder.uidvalidity === null ? 0 : 1,
    emfdid,
  );
}

/** A server that goes back to an earlier UIDVALIDITY: orphans of that generation would stand in the way of what has their UIDs. */
function vanishFormer(c: Connection, place: { acntid: number; emfdid: number; at: string }, record: ResetRecord): void {
  const sql = 'SELECT id, uid FROM email_messages WHERE emfdid = ? AND uidvalidity = ? AND vanished_at IS NULL';
  const former = c.all<{ id: number; uid: number }>(sql, place.emfdid, record.uidValidity);
  const matched = new Set(record.matches.map(({ id }) => id));
  const listed = unionUids(record.pending, uidSetOf(record.matches.map(({ uid }) => uid)));
  const inTheWay = former.filter(({ id, uid }) => !matched.has(id) && hasUid(listed, uid));
  vanishRows(
    c,
    place,
    inTheWay.map(({ id }) => id),
  );
}

function moveRow(c: Connection, folder: FolderRow, record: ResetRecord, match: ResetRecord['matches'][number]): void {
  const { id, uid, flags, internalDate, size, modseq, emailId } = match;
  const live = 'id = ? AND emfdid = ? AND vanished_at IS NULL';
  const row = c.get<{ flags: string }>(`SELECT flags FROM email_messages WHERE ${live}`, id, record.emfdid);
  if (!row) throw new EngineError('not_found', `message ${id} is not live in folder ${record.emfdid}`);
  const sql = `UPDATE email_messages SET uidvalidity = ?, uid = ?, flags = ?, internaldate = COALESCE(?, internaldate),
    size = ?, modseq = ?, email_id = COALESCE(?, email_id) WHERE ${live}`;
  c.run(sql, record.uidValidity, uid, flags, internalDate, size, modseq, emailId, id, record.emfdid);
  if (row.flags === flags) return;
  noteChange(c, 'message_flags', { acntid: folder.acntid, emfdid: folder.emfdid, at: record.at }, id);
}
