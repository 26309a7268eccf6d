/**
 * Migration 3: reading, conversations and search. Never edited after release. Private tables have no email_ prefix.
 *
 * email_search indexes columns of email_texts (external content): nothing is stored twice, and whoever deletes a content, by
 * whatever way, takes its index rows along (trigger). Both indexes for finding work are partial: what is done costs nothing.
 */

const instantGlob = "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z'";

const reading = `
ALTER TABLE email_contents ADD COLUMN reader_version INTEGER;
ALTER TABLE email_contents ADD COLUMN parse_note TEXT;
CREATE INDEX email_contents_pending ON email_contents (sent_at) WHERE parse_state = 'pending';
CREATE INDEX email_contents_failed ON email_contents (reader_version) WHERE parse_state = 'failed';
CREATE TABLE reading_claims (
  content_id INTEGER PRIMARY KEY REFERENCES email_contents (id) ON DELETE CASCADE,
  epoch INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  claimed_at TEXT NOT NULL CHECK (claimed_at GLOB ${instantGlob})
);`;

/** In the order of the index's columns. */
export const searchColumns = ['subject', 'sender', 'recipients', 'filenames', 'body_text', 'words'] as const;

const old = searchColumns.map((column) => `old.${column}`).join(', ');
const search = `
ALTER TABLE email_texts ADD COLUMN subject TEXT;
ALTER TABLE email_texts ADD COLUMN sender TEXT;
ALTER TABLE email_texts ADD COLUMN recipients TEXT;
ALTER TABLE email_texts ADD COLUMN filenames TEXT;
ALTER TABLE email_texts ADD COLUMN words TEXT;
CREATE VIRTUAL TABLE email_search USING fts5 (${searchColumns.join(', ')},
  content = 'email_texts', content_rowid = 'content_id', tokenize = 'unicode61 remove_diacritics 2');
CREATE TRIGGER email_texts_unindexed AFTER DELETE ON email_texts BEGIN
  INSERT INTO email_search (email_search, rowid, ${searchColumns.join(', ')}) VALUES ('delete', old.content_id, ${old});
END;`;

const conversations = `
CREATE INDEX email_messages_unthreaded ON email_messages (acntid) WHERE conversation_id IS NULL;
CREATE INDEX email_messages_conversation ON email_messages (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE TABLE conversation_keys (
  acntid INTEGER NOT NULL,
  key BLOB NOT NULL,
  conversation_id INTEGER NOT NULL,
  PRIMARY KEY (acntid, key, conversation_id)
) WITHOUT ROWID;
CREATE TABLE conversation_merges (
  acntid INTEGER NOT NULL,
  conversation_id INTEGER NOT NULL,
  merged_into INTEGER NOT NULL CHECK (merged_into < conversation_id),
  PRIMARY KEY (acntid, conversation_id)
) WITHOUT ROWID;
CREATE TRIGGER email_accounts_conversations AFTER DELETE ON email_accounts BEGIN
  DELETE FROM conversation_keys WHERE acntid = old.acntid;
  DELETE FROM conversation_merges WHERE acntid = old.acntid;
END;`;

export const migration3: string = [reading, search, conversations].join('\n');
