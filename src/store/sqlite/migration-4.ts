/**
 * Migration 4: what an account logs in with beside its password (private: account_logins), and who reads an account beside the
 * one that owns it (public: email_account_users). Changes of both are news of the account (migration 2). Never edited after release.
 */

const instant = (column: string): string =>
  `${column} TEXT CHECK (${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z')`;

// A table of its own: tokens change every hour, and no `SELECT *` of an application drags them along.
const logins = `
CREATE TABLE account_logins (
  acntid INTEGER PRIMARY KEY REFERENCES email_accounts (acntid) ON DELETE CASCADE,
  login_user TEXT,
  password_command_sealed BLOB,
  preset TEXT,
  client_id TEXT,
  client_secret_sealed BLOB,
  token_url TEXT,
  scope TEXT,
  refresh_token_sealed BLOB,
  access_token_sealed BLOB,
  ${instant('access_token_refresh_at')},
  ${instant('access_token_expires_at')},
  generation INTEGER NOT NULL DEFAULT 0,
  lease_holder TEXT,
  ${instant('lease_until')},
  refresh_failure TEXT CHECK (refresh_failure IN ('refused', 'unavailable')),
  refresh_error TEXT,
  ${instant('refresh_retry_at')},
  refresh_failure_count INTEGER NOT NULL DEFAULT 0,
  CHECK ((client_id IS NULL) = (token_url IS NULL))
);`;

const users = `
CREATE TABLE email_account_users (
  acntid INTEGER NOT NULL REFERENCES email_accounts (acntid) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  PRIMARY KEY (acntid, user_id)
) WITHOUT ROWID;
CREATE INDEX email_account_users_user ON email_account_users (user_id);`;

const noteAccount = (acntid: string): string =>
  `INSERT INTO account_news (acntid) SELECT ${acntid} WHERE NOT EXISTS (SELECT 1 FROM account_news WHERE acntid = ${acntid});`;

// What a refresh writes is no news: it brings an access token, an edit takes it away.
const news = `
CREATE TRIGGER email_account_users_made AFTER INSERT ON email_account_users
BEGIN ${noteAccount('NEW.acntid')} END;
CREATE TRIGGER email_account_users_changed AFTER UPDATE ON email_account_users
BEGIN ${noteAccount('NEW.acntid')} ${noteAccount('OLD.acntid')} END;
CREATE TRIGGER email_account_users_removed AFTER DELETE ON email_account_users
BEGIN ${noteAccount('OLD.acntid')} END;
CREATE TRIGGER account_logins_changed AFTER UPDATE OF login_user, password_command_sealed, generation ON account_logins
  WHEN NEW.login_user IS NOT OLD.login_user
    OR NEW.password_command_sealed IS NOT OLD.password_command_sealed
    OR (NEW.generation > OLD.generation AND NEW.access_token_sealed IS NULL)
BEGIN ${noteAccount('NEW.acntid')} END;`;

export const migration4: string = `${logins}\n${users}\n${news}`;
