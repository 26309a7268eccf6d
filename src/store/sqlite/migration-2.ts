/**
 * Migration 2: what the engine's schedule needs. Indexes for presence, a private note of servers that rest, and triggers that
 * note which accounts an application changed in SQL, so that the engine asks for a handful of rows instead of reading them
 * all. They run in the application's own SQLite (3.40): plain INSERT … WHERE NOT EXISTS, because an application's `UPDATE OR
 * …` would override a conflict clause in here. No trigger names a column that a sync pass writes.
 */

const noteAccount = (acntid: string): string =>
  `INSERT INTO account_news (acntid) SELECT ${acntid} WHERE NOT EXISTS (SELECT 1 FROM account_news WHERE acntid = ${acntid});`;
const noteUser = (userId: string): string =>
  `INSERT INTO user_news (user_id) SELECT ${userId} WHERE NOT EXISTS (SELECT 1 FROM user_news WHERE user_id = ${userId});`;

const accountColumns = [
  'enabled',
  'user_id',
  'new_password',
  'password_sealed',
  'imap_host',
  'imap_port',
  'imap_security',
  'imap_user',
  'allow_plaintext',
];
/** new_password set back to NULL is the engine's doing: it has taken the password. */
const hasChanged = accountColumns
  .map((name) => (name === 'new_password' ? 'NEW.new_password IS NOT NULL' : `NEW.${name} IS NOT OLD.${name}`))
  .join(' OR ');

const presence = `
CREATE INDEX email_presence_seen ON email_presence (last_seen_at);
CREATE INDEX email_accounts_user ON email_accounts (user_id) WHERE user_id IS NOT NULL;
CREATE TABLE user_news (user_id TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID;
CREATE TRIGGER email_presence_gone AFTER DELETE ON email_presence
BEGIN ${noteUser('OLD.user_id')} END;
CREATE TRIGGER email_presence_set_back AFTER UPDATE OF last_seen_at ON email_presence WHEN NEW.last_seen_at < OLD.last_seen_at
BEGIN ${noteUser('OLD.user_id')} END;`;

const accounts = `
CREATE TABLE account_news (acntid INTEGER PRIMARY KEY);
CREATE TRIGGER email_accounts_made AFTER INSERT ON email_accounts
BEGIN ${noteAccount('NEW.acntid')} END;
CREATE TRIGGER email_accounts_changed AFTER UPDATE OF ${accountColumns.join(', ')} ON email_accounts WHEN ${hasChanged}
BEGIN ${noteAccount('NEW.acntid')} END;
CREATE TRIGGER email_accounts_removed AFTER DELETE ON email_accounts
BEGIN ${noteAccount('OLD.acntid')} END;
CREATE TRIGGER email_folders_priority AFTER UPDATE OF priority ON email_folders WHEN NEW.priority <> OLD.priority
BEGIN ${noteAccount('NEW.acntid')} END;`;

const servers = `
CREATE TABLE server_rests (
  server TEXT PRIMARY KEY NOT NULL,
  failure_count INTEGER NOT NULL,
  retry_at TEXT NOT NULL,
  marked_at TEXT NOT NULL,
  last_error TEXT NOT NULL
) WITHOUT ROWID;`;

export const migration2: string = [presence, accounts, servers].join('\n');
