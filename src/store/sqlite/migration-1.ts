/**
 * Migration 1: every public table, whether a part of the engine fills it yet or not, so that applications can be written
 * against the names from the first day. Never edited after release. Private columns and tables are marked; docs/schema.md
 * describes the public ones. Instants are UTC text with milliseconds, held to it by CHECK; ids are never reused.
 */

const instant = (column: string, rest = ''): string =>
  `${column} TEXT ${rest} CHECK (${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z')`;
const oneOf = (column: string, ...words: string[]): string =>
  `CHECK (${column} IN (${words.map((word) => `'${word}'`).join(', ')}))`;
const bool = (column: string, initial: 0 | 1): string =>
  `${column} INTEGER NOT NULL DEFAULT ${initial} CHECK (${column} IN (0, 1))`;
const security = (column: string): string => oneOf(column, 'tls', 'starttls', 'none');
const now = `DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))`;

const accounts = `
CREATE TABLE email_accounts (
  acntid INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id TEXT,
  email TEXT NOT NULL,
  name TEXT,
  imap_host TEXT NOT NULL COLLATE NOCASE,
  imap_port INTEGER NOT NULL,
  imap_security TEXT NOT NULL ${security('imap_security')},
  imap_user TEXT NOT NULL,
  smtp_host TEXT,
  smtp_port INTEGER,
  smtp_security TEXT ${security('smtp_security')},
  smtp_user TEXT,
  ${bool('enabled', 1)},
  state TEXT NOT NULL DEFAULT 'ok' ${oneOf('state', 'ok', 'auth_error', 'backoff')},
  last_error TEXT,
  ${instant('retry_at')},
  ${instant('checked_at')},
  new_password TEXT,
  password_sealed BLOB,
  ${bool('allow_plaintext', 0)},
  failure_count INTEGER NOT NULL DEFAULT 0,
  vanished_trust INTEGER NOT NULL DEFAULT 0 CHECK (vanished_trust BETWEEN -1 AND 3),
  UNIQUE (imap_user, imap_host)
);
CREATE INDEX email_accounts_new_password ON email_accounts (acntid) WHERE new_password IS NOT NULL;
CREATE TABLE email_presence (
  user_id TEXT PRIMARY KEY NOT NULL,
  ${instant('last_seen_at', 'NOT NULL')}
);
CREATE TABLE engine_epoch (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL
);
INSERT INTO engine_epoch (id, epoch) VALUES (1, 0);`;

const folders = `
CREATE TABLE email_folders (
  emfdid INTEGER PRIMARY KEY AUTOINCREMENT,
  acntid INTEGER NOT NULL REFERENCES email_accounts (acntid),
  path TEXT NOT NULL,
  delimiter TEXT,
  role TEXT,
  priority TEXT NOT NULL DEFAULT 'low' ${oneOf('priority', 'high', 'low', 'off')},
  ${bool('is_selectable', 1)},
  mailbox_id TEXT,
  uidvalidity INTEGER,
  uidnext INTEGER,
  highestmodseq INTEGER,
  message_count INTEGER,
  unseen_count INTEGER,
  held_count INTEGER NOT NULL DEFAULT 0,
  excluded_count INTEGER NOT NULL DEFAULT 0,
  ${instant('recent_synced_at')},
  ${instant('full_synced_at')},
  ${instant('first_synced_at')},
  last_error TEXT,
  ${instant('retry_at')},
  ${instant('retired_at')},
  held_digest TEXT,
  ${instant('held_since')},
  listed_uid INTEGER NOT NULL DEFAULT 0,
  checkpoint TEXT NOT NULL DEFAULT '',
  failure_count INTEGER NOT NULL DEFAULT 0,
  missing_count INTEGER NOT NULL DEFAULT 0,
  reset_count INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX email_folders_path ON email_folders (acntid, path) WHERE retired_at IS NULL;
CREATE INDEX email_folders_account ON email_folders (acntid);`;

const contents = `
CREATE TABLE email_contents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
  message_id_header TEXT,
  in_reply_to TEXT,
  references_header TEXT,
  subject TEXT,
  from_addresses TEXT NOT NULL DEFAULT '[]',
  to_addresses TEXT NOT NULL DEFAULT '[]',
  cc_addresses TEXT NOT NULL DEFAULT '[]',
  ${instant('sent_at')},
  preview TEXT,
  has_attachments INTEGER CHECK (has_attachments IN (0, 1)),
  parse_state TEXT NOT NULL DEFAULT 'pending' ${oneOf('parse_state', 'pending', 'parsed', 'failed')}
);
CREATE INDEX email_contents_message_id ON email_contents (message_id_header) WHERE message_id_header IS NOT NULL;
CREATE TABLE email_raw (
  content_id INTEGER PRIMARY KEY REFERENCES email_contents (id) ON DELETE CASCADE,
  raw BLOB NOT NULL
);
CREATE TABLE email_texts (
  content_id INTEGER PRIMARY KEY REFERENCES email_contents (id) ON DELETE CASCADE,
  body_text TEXT,
  body_html TEXT
);
CREATE TABLE email_attachments (
  content_id INTEGER NOT NULL REFERENCES email_contents (id) ON DELETE CASCADE,
  part TEXT NOT NULL,
  filename TEXT,
  content_type TEXT,
  size INTEGER,
  disposition TEXT,
  cid TEXT,
  PRIMARY KEY (content_id, part)
) WITHOUT ROWID;`;

// email_messages.emfdid and acntid have no foreign key: its check would need one more index on the largest table, and only
// the engine writes here. Live rows and tombstones have an index each: a row is in one of them, so an insert pays once.
const messages = `
CREATE TABLE email_messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  acntid INTEGER NOT NULL,
  emfdid INTEGER NOT NULL,
  uidvalidity INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  content_id INTEGER NOT NULL REFERENCES email_contents (id),
  flags TEXT NOT NULL DEFAULT '',
  ${instant('internaldate')},
  size INTEGER NOT NULL,
  modseq INTEGER,
  conversation_id INTEGER,
  ${instant('vanished_at')},
  ${instant('held_at')},
  email_id TEXT
);
CREATE UNIQUE INDEX email_messages_live ON email_messages (emfdid, uidvalidity, uid) WHERE vanished_at IS NULL;
CREATE INDEX email_messages_tombstone ON email_messages (emfdid, uidvalidity, uid) WHERE vanished_at IS NOT NULL;
CREATE INDEX email_messages_content ON email_messages (content_id);
CREATE INDEX email_messages_account ON email_messages (acntid);
CREATE INDEX email_messages_held ON email_messages (emfdid) WHERE held_at IS NOT NULL;
CREATE INDEX email_messages_unseen ON email_messages (emfdid) WHERE vanished_at IS NULL AND instr(lower(flags), '\\seen') = 0;
CREATE INDEX email_messages_email_id ON email_messages (acntid, email_id) WHERE email_id IS NOT NULL;
CREATE TABLE email_quarantine (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  emfdid INTEGER NOT NULL REFERENCES email_folders (emfdid),
  uidvalidity INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  raw BLOB,
  error TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 1,
  ${instant('retry_at')},
  ${instant('created_at', 'NOT NULL')},
  UNIQUE (emfdid, uidvalidity, uid)
);
CREATE TABLE email_changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  ${instant('at', 'NOT NULL')},
  kind TEXT NOT NULL,
  acntid INTEGER NOT NULL,
  emfdid INTEGER,
  email_message_id INTEGER
);
CREATE TABLE email_actions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  acntid INTEGER NOT NULL REFERENCES email_accounts (acntid),
  emfdid INTEGER,
  email_message_id INTEGER,
  kind TEXT NOT NULL ${oneOf('kind', 'set_flags', 'clear_flags', 'move', 'delete', 'append', 'create_folder')},
  arguments TEXT NOT NULL DEFAULT '{}',
  state TEXT NOT NULL DEFAULT 'queued' ${oneOf('state', 'queued', 'running', 'done', 'failed')},
  last_error TEXT,
  ${instant('created_at', `NOT NULL ${now}`)},
  ${instant('done_at')}
);
CREATE INDEX email_actions_account ON email_actions (acntid, state);`;

const outboxStates = ['queued', 'held', 'sending', 'delivered', 'deferred', 'rejected', 'unknown', 'cancelled'];

const outbox = `
CREATE TABLE email_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  acntid INTEGER NOT NULL REFERENCES email_accounts (acntid),
  state TEXT NOT NULL DEFAULT 'queued' ${oneOf('state', ...outboxStates)},
  message_id_header TEXT,
  smtp_from TEXT,
  recipients TEXT,
  from_address TEXT,
  to_addresses TEXT,
  cc_addresses TEXT,
  bcc_addresses TEXT,
  reply_to TEXT,
  in_reply_to_id INTEGER,
  raw BLOB,
  subject TEXT,
  body_text TEXT,
  body_html TEXT,
  headers TEXT,
  attachments TEXT,
  idempotency_key TEXT,
  priority INTEGER NOT NULL DEFAULT 0,
  ${instant('send_after')},
  attempt_count INTEGER NOT NULL DEFAULT 0,
  ${instant('next_attempt_at')},
  last_code INTEGER,
  last_error TEXT,
  ${instant('sent_at')},
  ${instant('filed_at')},
  ${instant('created_at', `NOT NULL ${now}`)}
);
CREATE UNIQUE INDEX email_outbox_idempotency ON email_outbox (acntid, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX email_outbox_account ON email_outbox (acntid);
CREATE INDEX email_outbox_state ON email_outbox (state) WHERE state IN ('queued', 'sending', 'deferred', 'unknown');
CREATE TABLE email_outbox_recipients (
  outbox_id INTEGER NOT NULL REFERENCES email_outbox (id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  verdict TEXT ${oneOf('verdict', 'delivered', 'deferred', 'rejected', 'unknown')},
  code INTEGER,
  response TEXT,
  ${instant('next_attempt_at')},
  PRIMARY KEY (outbox_id, address)
);
CREATE TABLE email_outbox_attempts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  outbox_id INTEGER NOT NULL REFERENCES email_outbox (id) ON DELETE CASCADE,
  ${instant('started_at', 'NOT NULL')},
  duration_ms INTEGER,
  phase TEXT,
  verdict TEXT ${oneOf('verdict', 'delivered', 'deferred', 'rejected', 'unknown')},
  code INTEGER,
  response TEXT
);
CREATE INDEX email_outbox_attempts_entry ON email_outbox_attempts (outbox_id);`;

export const migration1: string = [accounts, folders, contents, messages, outbox].join('\n');
