/**
 * Where a fetched message goes in the folder: onto the live row with its UID (never a second one), onto its tombstone
 * (revived, same id), onto an orphan of a former UIDVALIDITY with the same content (adopted, same id), or into a new row. An id
 * never comes to mean other bytes: a row whose UID was given to another message (sync/replaced.ts) becomes a tombstone.
 */
import type { Instant } from '../../base/clock.ts';
import type { Placement } from '../store.ts';
import { noteChange } from './changes.ts';
import type { Connection } from './connection.ts';
import { writableInstant } from './contents.ts';
import type { FolderRow } from './folder-row.ts';
import { vanishRows } from './tombstones.ts';

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

export interface Placed {
  /** A live row of the folder's present UIDVALIDITY came into being: new, revived or adopted. */
  readonly isStored: boolean;
  /** A live row of a former UIDVALIDITY has a new UID and date, under the same id; no change row of its own says so. */
  readonly isAdopted: boolean;
}

export function placeMessage(c: Connection, target: Target, placement: Placement, contentId: number): Placed {
  const live = liveRow(c, target, placement.uid);
  if (live?.content_id === contentId) {
    rewrite(c, target, live, placement, contentId);
    return { isStored: false, isAdopted: false };
  }
  if (live) vanishRows(c, { ...placeOf(target), emfdid: target.folder.emfdid }, [live.id]);
  const known = tombstone(c, target, placement.uid, contentId);
  const orphan = known || !target.hasOrphans ? undefined : orphanOf(c, target, contentId);
  if (known) revive(c, target, known, placement, contentId);
  else if (orphan) rewrite(c, target, orphan, placement, contentId);
  else noteInserted(c, target, insertRow(c, target, placement, contentId));
  return { isStored: true, isAdopted: orphan !== undefined };
}

type LiveRow = KnownRow & { content_id: number };

function liveRow(c: Connection, { folder, uidValidity }: Target, uid: number): LiveRow | undefined {
  const sql = `SELECT id, flags, content_id FROM email_messages
    WHERE emfdid = ? AND uidvalidity = ? AND uid = ? AND vanished_at IS NULL`;
  return c.get<LiveRow>(sql, folder.emfdid, uidValidity, uid);
}

function tombstone(
  c: Connection,
  { folder, uidValidity }: Target,
  uid: number,
  contentId: number,
): KnownRow | undefined {
  const sql = `SELECT id, flags FROM email_messages WHERE emfdid = ? AND uidvalidity = ? AND uid = ?
    AND vanished_at IS NOT NULL AND content_id = ? ORDER BY id LIMIT 1`;
  return c.get<KnownRow>(sql, folder.emfdid, uidValidity, uid, contentId);
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

/** Told by its id also during a first sync: it is not among the newest ids. */
function revive(c: Connection, target: Target, { id }: KnownRow, placement: Placement, contentId: number): void {
  rewrite(c, target, { id, flags: placement.flags }, placement, contentId);
  noteChange(c, 'message_added', placeOf(target), id);
}

/** During a first sync the batch writes one row for all of them. */
function noteInserted(c: Connection, target: Target, id: number): void {
  if (!target.isFirstSync) noteChange(c, 'message_added', placeOf(target), id);
}

const placeOf = ({ folder, at }: Target): { acntid: number; emfdid: number; at: Instant } => ({
  acntid: folder.acntid,
  emfdid: folder.emfdid,
  at,
});
