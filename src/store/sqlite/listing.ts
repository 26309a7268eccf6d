/**
 * What a listing found out: flags, tombstones, revivals, what the deletion brake holds, and what is pending, in one
 * transaction. A listing equal to the one before writes nothing.
 */

import type { Instant } from '../../base/clock.ts';
import { EngineError } from '../../base/errors.ts';
import { formatUidSet, subtractUids, type UidSet } from '../../base/uid-set.ts';
import type { ListingRecord } from '../store.ts';
import type { Connection } from './connection.ts';
import { writeFlags } from './flags.ts';
import { type FolderRow, requireFolder, requireFolderAt, uidsUpTo } from './folder-row.ts';
import { forgetQuarantine } from './quarantine.ts';
import { refreshHeld, reviveRows, vanishRows } from './tombstones.ts';

export function recordListing(c: Connection, record: ListingRecord): void {
  const folder = visitFolder(c, record);
  const place = { acntid: folder.acntid, emfdid: folder.emfdid, at: record.at };
  reviveRows(c, place, record.uidValidity, record.reviveIds);
  vanishRows(c, place, record.vanishedIds);
  writeFlags(c, folder, record.uidValidity, record.flagChanges, record.at);
  if (record.held) hold(c, folder, record.held, record.at);
  forgetQuarantine(c, folder.emfdid, record.uidValidity, record.forgottenQuarantine);
  writeCheckpoint(c, folder.emfdid, record.listedUid, record.pending);
}

/** The first visit gives the folder its UIDVALIDITY, and flags a MODSEQ to ask from, should the first sync be interrupted. */
function visitFolder(c: Connection, record: ListingRecord): FolderRow {
  if (requireFolder(c, record.emfdid).uidvalidity === null) {
    const sql = 'UPDATE email_folders SET uidvalidity = ?, highestmodseq = ? WHERE emfdid = ?';
    c.run(sql, record.uidValidity, record.highestModseq, record.emfdid);
  }
  return requireFolderAt(c, record);
}

/** The checkpoint becomes 1:listedUid minus `pending`. */
export function writeCheckpoint(c: Connection, emfdid: number, listedUid: number, pending: UidSet): void {
  const checkpoint = formatUidSet(subtractUids(uidsUpTo(listedUid), pending));
  const sql =
    'UPDATE email_folders SET listed_uid = ?, checkpoint = ? WHERE emfdid = ? AND (listed_uid <> ? OR checkpoint <> ?)';
  c.run(sql, listedUid, checkpoint, emfdid, listedUid, checkpoint);
}

function hold(c: Connection, folder: FolderRow, held: NonNullable<ListingRecord['held']>, at: Instant): void {
  const ids = JSON.stringify(held.ids);
  const { emfdid } = folder;
  c.run(
    `UPDATE email_messages SET held_at = NULL
      WHERE emfdid = ? AND held_at IS NOT NULL AND id NOT IN (SELECT value FROM json_each(?))`,
    emfdid,
    ids,
  );
  c.run(
    `UPDATE email_messages SET held_at = ?
      WHERE id IN (SELECT value FROM json_each(?)) AND emfdid = ? AND vanished_at IS NULL AND held_at IS NULL`,
    at,
    ids,
    emfdid,
  );
  const sql = `UPDATE email_folders SET held_digest = ?, held_since = ?
    WHERE emfdid = ? AND (held_digest IS NOT ? OR held_since IS NOT ?)`;
  if (held.ids.length > 0) c.run(sql, held.digest, held.since, emfdid, held.digest, held.since);
  refreshHeld(c, emfdid);
}

export function approveDeletions(c: Connection, emfdid: number, at: Instant): number {
  const row = c.get<{ acntid: number }>('SELECT acntid FROM email_folders WHERE emfdid = ?', emfdid);
  if (!row) throw new EngineError('not_found', `folder ${emfdid}`);
  const held = c.all<{ id: number }>('SELECT id FROM email_messages WHERE emfdid = ? AND held_at IS NOT NULL', emfdid);
  return vanishRows(
    c,
    { acntid: row.acntid, emfdid, at },
    held.map(({ id }) => id),
  );
}
