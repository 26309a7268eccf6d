/**
 * Migration 5: the outbox at work. Public: how an account's sending is doing (`smtp_…`, `sent_copy`, `outbox_limits`), what an
 * entry became (`x_backproc_id`, `composed_at`, `delayed_at`, `sent_message_id`, `resolved`, `file_error`), and which entry a
 * change is about. Private: `due_at`, what is left to do after sending (`outbox_followups`), and what was sent lately
 * (`outbox_usage`). Never edited after release.
 */

const instant = (column: string, rest = ''): string =>
  `${column} TEXT ${rest} CHECK (${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z')`;
const oneOf = (column: string, ...words: string[]): string =>
  `CHECK (${column} IN (${words.map((word) => `'${word}'`).join(', ')}))`;

const accounts = `
ALTER TABLE email_accounts ADD COLUMN smtp_state TEXT NOT NULL DEFAULT 'ok' ${oneOf('smtp_state', 'ok', 'auth_error', 'backoff')};
ALTER TABLE email_accounts ADD COLUMN smtp_last_error TEXT;
ALTER TABLE email_accounts ADD COLUMN ${instant('smtp_retry_at')};
ALTER TABLE email_accounts ADD COLUMN smtp_failure_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE email_accounts ADD COLUMN sent_copy TEXT NOT NULL DEFAULT 'auto' ${oneOf('sent_copy', 'auto', 'server', 'append', 'off')};
ALTER TABLE email_accounts ADD COLUMN sent_copy_learned TEXT ${oneOf('sent_copy_learned', 'server', 'append')};
ALTER TABLE email_accounts ADD COLUMN outbox_limits TEXT;`;

// due_at is NULL where nothing is to be sent, so that an index on it stays small beside a million finished entries. '' is at once.
const entries = `
ALTER TABLE email_outbox ADD COLUMN x_backproc_id TEXT;
ALTER TABLE email_outbox ADD COLUMN ${instant('composed_at')};
ALTER TABLE email_outbox ADD COLUMN ${instant('delayed_at')};
ALTER TABLE email_outbox ADD COLUMN sent_message_id INTEGER;
ALTER TABLE email_outbox ADD COLUMN resolved TEXT ${oneOf('resolved', 'found', 'sent', 'resend', 'resend-once')};
ALTER TABLE email_outbox ADD COLUMN file_error TEXT;
ALTER TABLE email_outbox ADD COLUMN due_at TEXT GENERATED ALWAYS AS (
  CASE WHEN state IN ('queued', 'deferred') OR (state = 'delivered' AND next_attempt_at IS NOT NULL)
    THEN max(coalesce(send_after, ''), coalesce(next_attempt_at, '')) END) VIRTUAL;
DROP INDEX email_outbox_state;
CREATE INDEX email_outbox_due ON email_outbox (acntid, priority DESC, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX email_outbox_sending ON email_outbox (acntid) WHERE state = 'sending';
CREATE INDEX email_outbox_unlinked ON email_outbox (acntid, message_id_header)
  WHERE sent_message_id IS NULL AND message_id_header IS NOT NULL;
ALTER TABLE email_outbox_recipients ADD COLUMN attempt_id INTEGER;
ALTER TABLE email_outbox_attempts ADD COLUMN recipient_count INTEGER;
CREATE INDEX email_outbox_attempts_open ON email_outbox_attempts (outbox_id) WHERE verdict IS NULL;
ALTER TABLE email_changes ADD COLUMN outbox_id INTEGER;`;

const after = `
CREATE TABLE outbox_followups (
  outbox_id INTEGER NOT NULL REFERENCES email_outbox (id) ON DELETE CASCADE,
  kind TEXT NOT NULL ${oneOf('kind', 'file', 'answer', 'lookup')},
  acntid INTEGER NOT NULL,
  ${instant('due_at', 'NOT NULL')},
  tries INTEGER NOT NULL DEFAULT 0,
  is_begun INTEGER NOT NULL DEFAULT 0 CHECK (is_begun IN (0, 1)),
  PRIMARY KEY (outbox_id, kind)
) WITHOUT ROWID;
CREATE INDEX outbox_followups_due ON outbox_followups (acntid, due_at);
CREATE TABLE outbox_usage (
  acntid INTEGER NOT NULL REFERENCES email_accounts (acntid) ON DELETE CASCADE,
  minute TEXT NOT NULL,
  messages INTEGER NOT NULL,
  recipients INTEGER NOT NULL,
  PRIMARY KEY (acntid, minute)
) WITHOUT ROWID;`;

export const migration5: string = [accounts, entries, after].join('\n');
