/**
 * Applies what a LIST asked of the folder table. Paths are unique among folders that are not retired, and renames may swap
 * them (A → B, B → A): all renamed rows leave their paths first, then take the new ones.
 */
import type { Instant } from '../../base/clock.ts';
import { EngineError } from '../../base/errors.ts';
import type { Folder, FolderPlan, ListedFolder, Priority } from '../store.ts';
import { type ChangeKind, noteChange } from './changes.ts';
import type { Connection } from './connection.ts';
import { type FolderRow, folderRow, folders } from './folder-row.ts';
import { vanishRows } from './tombstones.ts';

type FolderUpdate = FolderPlan['update'][number];

export function applyFolderPlan(c: Connection, acntid: number, plan: FolderPlan, at: Instant): Folder[] {
  const updates = plan.update.map((update) => ({ update, row: ownFolder(c, acntid, update.emfdid) }));
  for (const { emfdid, retire } of plan.missing) {
    const row = ownFolder(c, acntid, emfdid);
    if (retire) retireFolder(c, row, at);
    else c.run('UPDATE email_folders SET missing_count = missing_count + 1 WHERE emfdid = ?', emfdid);
  }
  for (const { update, row } of updates) leavePath(c, update, row);
  for (const { path } of [...plan.update, ...plan.create]) retireOccupant(c, acntid, path, plan, at);
  for (const { update, row } of updates) updateFolder(c, update, row, at);
  for (const listed of plan.create) createFolder(c, acntid, listed, at);
  return folders(c, acntid);
}

export function setFolderPriority(c: Connection, emfdid: number, priority: Priority): void {
  const changed = c.run('UPDATE email_folders SET priority = ? WHERE emfdid = ?', priority, emfdid);
  if (changed === 0) throw new EngineError('not_found', `folder ${emfdid}`);
}

function ownFolder(c: Connection, acntid: number, emfdid: number): FolderRow {
  const row = folderRow(c, emfdid);
  if (row?.acntid === acntid) return row;
  throw new EngineError('not_found', `folder ${emfdid} of account ${acntid}`);
}

function createFolder(c: Connection, acntid: number, listed: ListedFolder, at: Instant): void {
  const sql = `INSERT INTO email_folders (acntid, path, delimiter, role, priority, is_selectable, mailbox_id)
    VALUES (?, ?, ?, ?, ?, ?, ?)`;
  const { path, delimiter, role, priority, isSelectable, mailboxId } = listed;
  const emfdid = c.insert(sql, acntid, path, delimiter, role, priority, Number(isSelectable), mailboxId);
  noteChange(c, 'folder_added', { acntid, emfdid, at });
}

/** No server can name a folder like this: NUL is forbidden in every IMAP string. */
function leavePath(c: Connection, update: FolderUpdate, row: FolderRow): void {
  if (update.path !== row.path)
    c.run('UPDATE email_folders SET path = ? WHERE emfdid = ?', `\0${row.emfdid}`, row.emfdid);
}

/** The server shows another folder under this path (another MAILBOXID): the one that had it is gone without a second look. */
function retireOccupant(c: Connection, acntid: number, path: string, plan: FolderPlan, at: Instant): void {
  const sql = 'SELECT emfdid FROM email_folders WHERE acntid = ? AND path = ? AND retired_at IS NULL';
  const occupant = c.get<{ emfdid: number }>(sql, acntid, path)?.emfdid;
  if (occupant === undefined || plan.update.some((update) => update.emfdid === occupant)) return;
  retireFolder(c, ownFolder(c, acntid, occupant), at);
}

function retireFolder(c: Connection, row: FolderRow, at: Instant): void {
  if (row.retired_at !== null) return;
  const { acntid, emfdid } = row;
  const live = c.all<{ id: number }>('SELECT id FROM email_messages WHERE emfdid = ? AND vanished_at IS NULL', emfdid);
  vanishRows(
    c,
    { acntid, emfdid, at },
    live.map(({ id }) => id),
  );
  c.run('DELETE FROM email_quarantine WHERE emfdid = ?', emfdid);
  c.run('UPDATE email_folders SET retired_at = ?, missing_count = missing_count + 1 WHERE emfdid = ?', at, emfdid);
  noteChange(c, 'folder_retired', { acntid, emfdid, at });
}

/** `priority` is the operator's once the folder exists: a listing does not touch it. */
function updateFolder(c: Connection, update: FolderUpdate, row: FolderRow, at: Instant): void {
  const { path, delimiter, role, isSelectable, mailboxId, emfdid } = update;
  const sql = `UPDATE email_folders SET path = ?, delimiter = ?, role = ?, is_selectable = ?, mailbox_id = ?,
    missing_count = 0, retired_at = NULL WHERE emfdid = ?`;
  c.run(sql, path, delimiter, role, Number(isSelectable), mailboxId, emfdid);
  if (row.retired_at !== null) forgetListing(c, emfdid);
  for (const kind of changeKinds(update, row)) noteChange(c, kind, { acntid: row.acntid, emfdid, at });
}

/** Its rows are tombstones: only a complete listing finds out which of them come back. */
function forgetListing(c: Connection, emfdid: number): void {
  c.run(
    `UPDATE email_folders SET listed_uid = 0, checkpoint = '', message_count = NULL, unseen_count = NULL, uidnext = NULL,
      highestmodseq = NULL WHERE emfdid = ?`,
    emfdid,
  );
}

function changeKinds(update: FolderUpdate, row: FolderRow): ChangeKind[] {
  const isOther =
    update.delimiter !== row.delimiter ||
    update.role !== row.role ||
    update.mailboxId !== row.mailbox_id ||
    update.isSelectable !== (row.is_selectable === 1);
  return [
    ...(row.retired_at === null ? [] : (['folder_restored'] as const)),
    ...(update.path === row.path ? [] : (['folder_renamed'] as const)),
    ...(isOther ? (['folder_changed'] as const) : []),
  ];
}
