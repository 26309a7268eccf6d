/**
 * The change feed: one row in email_changes for what an application would want to hear of, in the transaction that did it.
 * One writer, so `seq` is commit order: whoever reads seq > last misses nothing. No row where nothing changed.
 */
import type { Instant } from '../../base/clock.ts';
import type { Connection } from './connection.ts';

export type ChangeKind =
  | 'account_removed'
  | 'folder_added'
  | 'folder_changed'
  | 'folder_renamed'
  | 'folder_reset'
  | 'folder_restored'
  | 'folder_retired'
  | 'message_added'
  | 'message_flags'
  | 'message_read'
  | 'message_vanished'
  | 'messages_added';

export interface ChangePlace {
  readonly acntid: number;
  readonly emfdid: number | null;
  readonly at: Instant;
}

export function noteChange(c: Connection, kind: ChangeKind, place: ChangePlace, messageId: number | null = null): void {
  const sql = 'INSERT INTO email_changes (at, kind, acntid, emfdid, email_message_id) VALUES (?, ?, ?, ?, ?)';
  c.run(sql, place.at, kind, place.acntid, place.emfdid, messageId);
}
