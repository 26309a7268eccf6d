/**
 * Migration 6: what expires. Public: email_outbox.expired_at. Private: `expiring_contents`, contents that lost a row and go when
 * no other has them (left_at NULL: not yet looked at), and `store_sizes`. Tombstones get an index by age; live rows pay nothing
 * for it. A message that is given another content by UPDATE leaves the old one behind: a trigger notes it, whoever does it.
 */

const instant = (column: string, rest = ''): string =>
  `${column} TEXT ${rest} CHECK (${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z')`;

const messages = `
CREATE INDEX email_messages_vanished ON email_messages (vanished_at) WHERE vanished_at IS NOT NULL;
CREATE TABLE expiring_contents (
  content_id INTEGER PRIMARY KEY REFERENCES email_contents (id) ON DELETE CASCADE,
  ${instant('left_at')}
);
CREATE INDEX expiring_contents_left ON expiring_contents (left_at);
CREATE TRIGGER email_messages_content_left AFTER UPDATE OF content_id ON email_messages
  WHEN OLD.content_id <> NEW.content_id
  BEGIN
    DELETE FROM expiring_contents WHERE content_id = OLD.content_id;
    INSERT INTO expiring_contents (content_id) VALUES (OLD.content_id);
  END;`;

const outbox = `
ALTER TABLE email_outbox ADD COLUMN ${instant('expired_at')};
CREATE INDEX email_outbox_unexpired ON email_outbox (created_at)
  WHERE expired_at IS NULL AND state IN ('delivered', 'rejected', 'cancelled');
CREATE INDEX email_outbox_reply ON email_outbox (in_reply_to_id) WHERE in_reply_to_id IS NOT NULL;`;

const sizes = `
CREATE TABLE store_sizes (
  day TEXT PRIMARY KEY NOT NULL,
  ${instant('at', 'NOT NULL')},
  bytes INTEGER NOT NULL,
  free_bytes INTEGER NOT NULL
) WITHOUT ROWID;`;

export const migration6: string = [messages, outbox, sizes].join('\n');
