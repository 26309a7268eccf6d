/** Messages that could not be stored: their bytes and the reason, by UID of the folder's present UIDVALIDITY. */
import { EngineError } from '../../base/errors.ts';
import { formatUidSet, parseUidSet, subtractUids, type UidSet, uidSetOf } from '../../base/uid-set.ts';
import type { FolderAt, QuarantinedMessage, QuarantineRow } from '../store.ts';
import type { Connection } from './connection.ts';
import { requireFolder } from './folder-row.ts';

export function quarantine(c: Connection, emfdid: number): QuarantineRow[] {
  const sql = `SELECT uid, uidvalidity, error, tries, retry_at FROM email_quarantine WHERE emfdid = ? ORDER BY uidvalidity, uid`;
  const rows = c.all<{ uid: number; uidvalidity: number; error: string; tries: number; retry_at: string | null }>(
    sql,
    emfdid,
  );
  return rows.map((row) => ({
    uid: row.uid,
    uidValidity: row.uidvalidity,
    error: row.error,
    tries: row.tries,
    retryAt: row.retry_at,
  }));
}

/** A further failure counts as one more try; bytes once kept stay when a later try brought none. */
export function putInQuarantine(
  c: Connection,
  at: FolderAt & { readonly at: string },
  message: QuarantinedMessage,
): void {
  const sql = `INSERT INTO email_quarantine (emfdid, uidvalidity, uid, raw, error, retry_at, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (emfdid, uidvalidity, uid) DO UPDATE SET
    tries = tries + 1, raw = COALESCE(excluded.raw, raw), error = excluded.error, retry_at = excluded.retry_at`;
  c.run(sql, at.emfdid, at.uidValidity, message.uid, message.raw, message.error, message.retryAt, at.at);
}

function hasQuarantine(c: Connection, emfdid: number): boolean {
  return c.get('SELECT 1 FROM email_quarantine WHERE emfdid = ? LIMIT 1', emfdid) !== undefined;
}

export function forgetQuarantine(c: Connection, emfdid: number, uidValidity: number, uids: UidSet): void {
  if (uids.length === 0 || !hasQuarantine(c, emfdid)) return;
  const sql = 'DELETE FROM email_quarantine WHERE emfdid = ? AND uidvalidity = ? AND uid BETWEEN ? AND ?';
  for (const [first, last] of uids) c.run(sql, emfdid, uidValidity, first, last);
}

export function retryQuarantined(c: Connection, emfdid: number, uid: number | null, at: string): number {
  const folder = requireFolder(c, emfdid);
  const chosen = 'emfdid = ? AND uidvalidity = ? AND (? IS NULL OR uid = ?)';
  const where = [emfdid, folder.uidvalidity, uid, uid] as const;
  const rows = c.all<{ uid: number }>(`SELECT uid FROM email_quarantine WHERE ${chosen}`, ...where);
  if (rows.length === 0) throw new EngineError('not_found', `folder ${emfdid}, quarantined UID ${uid ?? '(any)'}`);
  c.run(`UPDATE email_quarantine SET retry_at = ? WHERE ${chosen}`, at, ...where);
  const checkpoint = subtractUids(parseUidSet(folder.checkpoint), uidSetOf(rows.map((row) => row.uid)));
  c.run('UPDATE email_folders SET checkpoint = ? WHERE emfdid = ?', formatUidSet(checkpoint), emfdid);
  return rows.length;
}
