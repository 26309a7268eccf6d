/** Flags and deletions as CHANGEDSINCE and VANISHED report them (RFC 7162), by UID. Nothing is written where nothing differs. */
import type { Instant } from '../../base/clock.ts';
import type { UidSet } from '../../base/uid-set.ts';
import type { FlagChange, FolderAt } from '../store.ts';
import { noteChange } from './changes.ts';
import type { Connection } from './connection.ts';
import { type FolderRow, requireFolderAt } from './folder-row.ts';
import { forgetQuarantine } from './quarantine.ts';
import { vanishRows } from './tombstones.ts';

export function applyFlags(
  c: Connection,
  at: FolderAt & { readonly changes: readonly FlagChange[]; readonly at: Instant },
): number {
  const folder = requireFolderAt(c, at);
  return writeFlags(c, folder, at.uidValidity, at.changes, at.at);
}

/** Returns how many messages have other flags now. A new MODSEQ alone is kept, but is no news to applications. */
export function writeFlags(
  c: Connection,
  folder: FolderRow,
  uidValidity: number,
  changes: readonly FlagChange[],
  at: Instant,
): number {
  const { acntid, emfdid } = folder;
  const live = 'emfdid = ? AND uidvalidity = ? AND uid = ? AND vanished_at IS NULL';
  const flagsSql = `UPDATE email_messages SET flags = ?, modseq = COALESCE(?, modseq) WHERE ${live} AND flags <> ? RETURNING id`;
  const modseqSql = `UPDATE email_messages SET modseq = ? WHERE ${live} AND modseq IS NOT ?`;
  let count = 0;
  for (const { uid, flags, modseq } of changes) {
    const row = c.get<{ id: number }>(flagsSql, flags, modseq, emfdid, uidValidity, uid, flags);
    if (row) noteChange(c, 'message_flags', { acntid, emfdid, at }, row.id);
    else if (modseq !== null) c.run(modseqSql, modseq, emfdid, uidValidity, uid, modseq);
    if (row) count += 1;
  }
  return count;
}

export function applyVanished(c: Connection, at: FolderAt & { readonly uids: UidSet; readonly at: Instant }): number {
  const { acntid, emfdid } = requireFolderAt(c, at);
  const sql = `SELECT id FROM email_messages
    WHERE emfdid = ? AND uidvalidity = ? AND uid BETWEEN ? AND ? AND vanished_at IS NULL`;
  const ids = at.uids.flatMap(([first, last]) => c.all<{ id: number }>(sql, emfdid, at.uidValidity, first, last));
  forgetQuarantine(c, emfdid, at.uidValidity, at.uids);
  return vanishRows(
    c,
    { acntid, emfdid, at: at.at },
    ids.map(({ id }) => id),
  );
}
