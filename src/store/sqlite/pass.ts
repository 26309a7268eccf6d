/** How a folder's pass ends: done, unchanged, or failed. */
import type { Instant } from '../../base/clock.ts';
import type { PassEnd } from '../store.ts';
import type { Connection } from './connection.ts';
import { pendingOf, requireFolderAt } from './folder-row.ts';

/** `message_count` is empty until the pass that found another UIDVALIDITY has ended: only one without such a change clears their count. */
export function endPass(c: Connection, end: PassEnd): void {
  const isComplete = pendingOf(requireFolderAt(c, end)).length === 0;
  c.run(
    `UPDATE email_folders SET recent_synced_at = ?, full_synced_at = COALESCE(?, full_synced_at),
      first_synced_at = COALESCE(first_synced_at, ?), uidnext = ?, highestmodseq = ?, message_count = ?, unseen_count = ?,
      last_error = NULL, retry_at = NULL, failure_count = 0, missing_count = 0,
      reset_count = CASE WHEN message_count IS NULL THEN reset_count ELSE 0 END WHERE emfdid = ?`,
    end.at,
    end.kind === 'full' ? end.at : null,
    isComplete ? end.at : null,
    end.uidNext,
    end.highestModseq,
    end.messageCount,
    end.unseenCount,
    end.emfdid,
  );
}

export function recordUnchanged(c: Connection, emfdids: readonly number[], at: Instant): void {
  const sql = 'UPDATE email_folders SET recent_synced_at = ? WHERE emfdid IN (SELECT value FROM json_each(?))';
  c.run(sql, at, JSON.stringify(emfdids));
}

export function failFolder(
  c: Connection,
  emfdid: number,
  failure: { lastError: string; retryAt: Instant; failureCount: number },
): void {
  const sql = 'UPDATE email_folders SET last_error = ?, retry_at = ?, failure_count = ? WHERE emfdid = ?';
  c.run(sql, failure.lastError, failure.retryAt, failure.failureCount, emfdid);
}
