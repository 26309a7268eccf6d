/**
 * A message that is gone on the server stays as a tombstone (vanished_at), and a UID that comes back revives it. Both keep
 * the id, write a change row, and leave email_folders.held_count equal to the live rows that the deletion brake holds.
 */
import { type ChangePlace, noteChange } from './changes.ts';
import type { Connection } from './connection.ts';

interface FolderPlace extends ChangePlace {
  readonly emfdid: number;
}

/** Live rows of this folder become tombstones; others are ignored. Returns how many changed. */
export function vanishRows(c: Connection, place: FolderPlace, ids: readonly number[]): number {
  const sql =
    'UPDATE email_messages SET vanished_at = ?, held_at = NULL WHERE id = ? AND emfdid = ? AND vanished_at IS NULL';
  let count = 0;
  for (const id of ids) {
    if (c.run(sql, place.at, id, place.emfdid) === 0) continue;
    noteChange(c, 'message_vanished', place, id);
    count += 1;
  }
  if (count > 0) refreshHeld(c, place.emfdid);
  return count;
}

/** Tombstones of the folder's present UIDVALIDITY come back; one whose UID has a live row stays. */
export function reviveRows(c: Connection, place: FolderPlace, uidValidity: number, ids: readonly number[]): number {
  const sql = `UPDATE email_messages AS gone SET vanished_at = NULL
    WHERE id = ? AND emfdid = ? AND uidvalidity = ? AND vanished_at IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM email_messages AS live WHERE live.emfdid = gone.emfdid AND live.uidvalidity = gone.uidvalidity
      AND live.uid = gone.uid AND live.vanished_at IS NULL)`;
  let count = 0;
  for (const id of ids) {
    if (c.run(sql, id, place.emfdid, uidValidity) === 0) continue;
    noteChange(c, 'message_added', place, id);
    count += 1;
  }
  return count;
}

/** Touches the folder only when the count is another one. */
export function refreshHeld(c: Connection, emfdid: number): void {
  const sql = 'SELECT COUNT(*) AS count FROM email_messages WHERE emfdid = ? AND held_at IS NOT NULL';
  const count = c.get<{ count: number }>(sql, emfdid)?.count ?? 0;
  c.run('UPDATE email_folders SET held_count = ? WHERE emfdid = ? AND held_count <> ?', count, emfdid, count);
  if (count > 0) return;
  c.run(
    `UPDATE email_folders SET held_digest = NULL, held_since = NULL
      WHERE emfdid = ? AND (held_digest IS NOT NULL OR held_since IS NOT NULL)`,
    emfdid,
  );
}
