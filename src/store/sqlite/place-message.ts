/**
 * Where a fetched message goes in the folder: onto the live row with its UID (never a second one), onto its tombstone
 * (revived, same id), onto an orphan of a former UIDVALIDITY with the same content (adopted, same id), or into a new row.
 */
import type { Instant } from '../../base/clock.ts';
import type { Placement } from '../store.ts';
import { noteChange } from './changes.ts';
import type { Connection } from './connection.ts';
import { writableInstant } from './contents.ts';
import type { FolderRow } from './folder-row.ts';

export interface Target {
  readonly folder: FolderRow;
  readonly uidValidity: number;
  readonly at: Instant;
  readonly isFirstSync: boolean;
  readonly hasOrphans: boolean;
}

interface KnownRow {
  id: number;
  flags: string;
}

/** True when a live row came into being by it: new, revived or adopted. */
export function placeMessage(c: Connection, target: Target, placement: Placement, contentId: number): boolean {
  const live = liveRow(c, target, placement.uid);
  if (live) {
    rewrite(c, target, live, placement, contentId);
    return false;
  }
  const known = tombstone(c, target, placement.uid);
  if (known) rewrite(c, target, { id: known.id, flags: placement.flags }, placement, contentId);
  if (known || !target.hasOrphans) {
    noteAdded(c, target, known?.id ?? insertRow(c, target, placement, contentId));
    return true;
  }
  const orphan = orphanOf(c, target, contentId);
  if (orphan) rewrite(c, target, orphan, placement, contentId);
  else noteAdded(c, target, insertRow(c, target, placement, contentId));
  return true;
}

function liveRow(c: Connection, { folder, uidValidity }: Target, uid: number): KnownRow | undefined {
  const sql =
    'SELECT id, flags FROM email_messages WHERE emfdid = ? AND uidvalidity = ? AND uid = ? AND vanished_at IS NULL';
  return c.get<KnownRow>(sql, folder.emfdid, uidValidity, uid);
}

function tombstone(c: Connection, { folder, uidValidity }: Target, uid: number): KnownRow | undefined {
  const sql = `SELECT id, flags FROM email_messages
    WHERE emfdid = ? AND uidvalidity = ? AND uid = ? AND vanished_at IS NOT NULL ORDER BY id LIMIT 1`;
  return c.get<KnownRow>(sql, folder.emfdid, uidValidity, uid);
}

function orphanOf(c: Connection, { folder, uidValidity }: Target, contentId: number): KnownRow | undefined {
  const sql = `SELECT id, flags FROM email_messages WHERE content_id = ? AND emfdid = ? AND vanished_at IS NULL
    AND uidvalidity <> ? ORDER BY uid, id LIMIT 1`;
  return c.get<KnownRow>(sql, contentId, folder.emfdid, uidValidity);
}

/** The row's id is what applications hold on to; all the rest is as the server says now. Unchanged rows are not written. */
function rewrite(c: Connection, target: Target, row: KnownRow, placement: Placement, contentId: number): void {
  const { uid, flags, size, modseq, emailId } = placement;
  const columns = '(uidvalidity, uid, flags, size, content_id, internaldate, modseq, email_id, vanished_at, held_at)';
  const values = '(?, ?, ?, ?, ?, COALESCE(?, internaldate), COALESCE(?, modseq), COALESCE(?, email_id), NULL, NULL)';
  const sql = `UPDATE email_messages SET ${columns} = ${values} WHERE id = ? AND ${columns} IS NOT ${values}`;
  const date = writableInstant(placement.internalDate);
  const given = [target.uidValidity, uid, flags, size, contentId, date, modseq, emailId];
  c.run(sql, ...given, row.id, ...given);
  if (row.flags !== flags) noteChange(c, 'message_flags', placeOf(target), row.id);
}

function insertRow(c: Connection, { folder, uidValidity }: Target, placement: Placement, contentId: number): number {
  const { uid, flags, internalDate, size, modseq, emailId } = placement;
  const sql = `INSERT INTO email_messages (acntid, emfdid, uidvalidity, uid, content_id, flags, internaldate, size, modseq,
    email_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  const { acntid, emfdid } = folder;
  return c.insert(
    sql,
    acntid,
    emfdid,
    uidValidity,
    uid,
    contentId,
    flags,
    writableInstant(internalDate),
    size,
    modseq,
    emailId,
  );
}

/** During a first sync the batch writes one row for all of them. */
function noteAdded(c: Connection, target: Target, id: number): void {
  if (!target.isFirstSync) noteChange(c, 'message_added', placeOf(target), id);
}

const placeOf = ({ folder, at }: Target): { acntid: number; emfdid: number; at: Instant } => ({
  acntid: folder.acntid,
  emfdid: folder.emfdid,
  at,
});
