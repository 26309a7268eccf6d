/**
 * The equation that makes completeness provable, per folder: server count = stored − held + quarantined + excluded + pending.
 * A quarantined UID that is pending again (a retry) counts as pending alone.
 */
import { hasUid, uidCount } from '../../base/uid-set.ts';
import type { LedgerRow } from '../store.ts';
import type { Connection } from './connection.ts';
import { type FolderRow, folderRows, pendingOf } from './folder-row.ts';

export function ledger(c: Connection, acntid: number): LedgerRow[] {
  const selectable = folderRows(c, acntid, false).filter((row) => row.is_selectable === 1);
  return selectable.map((row) => ledgerRow(c, row));
}

function ledgerRow(c: Connection, row: FolderRow): LedgerRow {
  const live = 'SELECT COUNT(*) AS count FROM email_messages WHERE emfdid = ? AND vanished_at IS NULL';
  const parked = 'SELECT uid FROM email_quarantine WHERE emfdid = ? AND uidvalidity = ?';
  const pending = pendingOf(row);
  const quarantined = c.all<{ uid: number }>(parked, row.emfdid, row.uidvalidity);
  return {
    emfdid: row.emfdid,
    path: row.path,
    serverCount: row.message_count,
    storedCount: c.get<{ count: number }>(live, row.emfdid)?.count ?? 0,
    heldCount: row.held_count,
    quarantinedCount: quarantined.filter(({ uid }) => !hasUid(pending, uid)).length,
    excludedCount: row.excluded_count,
    pendingCount: uidCount(pending),
  };
}
