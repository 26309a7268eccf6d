/** email_folders rows as `Folder`, and the look at a folder that every sync verb starts with. */
import { EngineError } from '../../base/errors.ts';
import { parseUidSet, subtractUids, type UidSet } from '../../base/uid-set.ts';
import type { Folder, FolderAt, Priority } from '../store.ts';
import type { Connection } from './connection.ts';

export interface FolderRow {
  emfdid: number;
  acntid: number;
  path: string;
  delimiter: string | null;
  role: string | null;
  priority: Priority;
  is_selectable: number;
  mailbox_id: string | null;
  uidvalidity: number | null;
  uidnext: number | null;
  /** As text: 63 bits do not fit a JavaScript number. */
  highestmodseq: string | null;
  message_count: number | null;
  unseen_count: number | null;
  held_count: number;
  excluded_count: number;
  held_digest: string | null;
  held_since: string | null;
  listed_uid: number;
  checkpoint: string;
  recent_synced_at: string | null;
  full_synced_at: string | null;
  first_synced_at: string | null;
  last_error: string | null;
  retry_at: string | null;
  failure_count: number;
  missing_count: number;
  retired_at: string | null;
  reset_count: number;
}

const select = `SELECT emfdid, acntid, path, delimiter, role, priority, is_selectable, mailbox_id, uidvalidity, uidnext,
  CAST(highestmodseq AS TEXT) AS highestmodseq, message_count, unseen_count, held_count, excluded_count, held_digest,
  held_since, listed_uid, checkpoint, recent_synced_at, full_synced_at, first_synced_at, last_error, retry_at,
  failure_count, missing_count, retired_at, reset_count FROM email_folders`;

export function folderRows(c: Connection, acntid: number, withRetired: boolean): FolderRow[] {
  const live = withRetired ? '' : 'AND retired_at IS NULL';
  return c.all<FolderRow>(`${select} WHERE acntid = ? ${live} ORDER BY path, emfdid`, acntid);
}

export const folderRow = (c: Connection, emfdid: number): FolderRow | undefined =>
  c.get<FolderRow>(`${select} WHERE emfdid = ?`, emfdid);

export function folders(c: Connection, acntid: number, options?: { readonly withRetired?: boolean }): Folder[] {
  return folderRows(c, acntid, options?.withRetired ?? false).map(toFolder);
}

export function folder(c: Connection, emfdid: number): Folder | undefined {
  const row = folderRow(c, emfdid);
  return row && toFolder(row);
}

export function requireFolder(c: Connection, emfdid: number): FolderRow {
  const row = folderRow(c, emfdid);
  if (!row) throw new EngineError('not_found', `folder ${emfdid}`);
  return row;
}

/** The folder, if it still has the UIDVALIDITY that the writer worked with: other UIDs than these it must not touch. */
export function requireFolderAt(c: Connection, at: FolderAt): FolderRow {
  const row = requireFolder(c, at.emfdid);
  if (row.uidvalidity === at.uidValidity) return row;
  const detail = `folder ${at.emfdid} has UIDVALIDITY ${row.uidvalidity ?? 'none'}, the write was for ${at.uidValidity}`;
  throw new EngineError('protocol_violation', detail, { scope: 'folder' });
}

/** 1:listedUid, the frame of every checkpoint. */
export const uidsUpTo = (listedUid: number): UidSet => (listedUid > 0 ? [[1, listedUid]] : []);

/** What was listed and still needs something. */
export const pendingOf = (row: FolderRow): UidSet =>
  subtractUids(uidsUpTo(row.listed_uid), parseUidSet(row.checkpoint));

function toFolder(row: FolderRow): Folder {
  return {
    emfdid: row.emfdid,
    acntid: row.acntid,
    path: row.path,
    delimiter: row.delimiter,
    role: row.role,
    priority: row.priority,
    isSelectable: row.is_selectable === 1,
    mailboxId: row.mailbox_id,
    uidValidity: row.uidvalidity,
    uidNext: row.uidnext,
    highestModseq: row.highestmodseq === null ? null : BigInt(row.highestmodseq),
    messageCount: row.message_count,
    unseenCount: row.unseen_count,
    heldCount: row.held_count,
    heldDigest: row.held_digest,
    heldSince: row.held_since,
    listedUid: row.listed_uid,
    checkpoint: parseUidSet(row.checkpoint),
    recentSyncedAt: row.recent_synced_at,
    fullSyncedAt: row.full_synced_at,
    firstSyncedAt: row.first_synced_at,
    lastError: row.last_error,
    retryAt: row.retry_at,
    failureCount: row.failure_count,
    missingCount: row.missing_count,
    retiredAt: row.retired_at,
    resetCount: row.reset_count,
  };
}
