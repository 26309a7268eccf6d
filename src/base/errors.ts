/**
 * The one catalogue of what can go wrong. An error names how far it reaches (`scope`: the smallest thing that must stop)
 * and what is to be done (`remedy`). docs/errors.md is generated from `catalogue`. "Nothing due", a changed UIDVALIDITY
 * and vanished mail are results, not errors.
 */

export type ErrorScope = 'message' | 'folder' | 'account' | 'thread' | 'process';
export type ErrorRemedy = 'retry' | 'wait-operator' | 'skip' | 'none';

interface CatalogueEntry {
  readonly scope: ErrorScope;
  readonly remedy: ErrorRemedy;
  /** What happened, for people. */
  readonly meaning: string;
  /** What the reader should do about it. */
  readonly action: string;
}

const entry = (scope: ErrorScope, remedy: ErrorRemedy, meaning: string, action: string): CatalogueEntry => ({
  scope,
  remedy,
  meaning,
  action,
});

export const catalogue = {
  // Command line and configuration
  usage: entry(
    'process',
    'wait-operator',
    'The command line is wrong.',
    'Read the message, or `backproc COMMAND --help`.',
  ),
  config_invalid: entry(
    'process',
    'wait-operator',
    'The configuration has mistakes; all are listed.',
    'Correct them; `backproc config check` tells when it is right.',
  ),
  config_not_found: entry(
    'process',
    'wait-operator',
    'No configuration file was found.',
    'Pass --config FILE or set BACKPROC_CONFIG.',
  ),
  config_unreadable: entry(
    'process',
    'wait-operator',
    'The configuration file cannot be read.',
    'It must be a file, not a folder, which the user of the engine may read.',
  ),
  account_unknown: entry('process', 'wait-operator', 'No account has this number.', 'See `backproc account list`.'),
  account_exists: entry(
    'process',
    'wait-operator',
    'An account with this login and host exists already.',
    'Use `backproc account set`, or another login.',
  ),
  not_found: entry('process', 'wait-operator', 'What was asked for is not in the store.', 'Check the number or path.'),
  settings_not_found: entry(
    'process',
    'wait-operator',
    'No servers were found for this address.',
    'The provider says which they are; `account add --imap URL` takes them.',
  ),
  file_invalid: entry(
    'process',
    'wait-operator',
    'The file has mistakes; all are listed.',
    'Correct them; nothing was imported.',
  ),
  passphrase_wrong: entry(
    'process',
    'wait-operator',
    'The secrets of the file do not open with this passphrase, or its accounts were edited since.',
    'Give the right one, export again, or import --without-secrets.',
  ),
  locked: entry('process', 'retry', 'An engine holds the lock of this store.', 'Wait until it has ended, or stop it.'),
  engine_not_running: entry(
    'process',
    'retry',
    'No engine is running.',
    'Nothing, or `backproc start`: whichever starts next reads the configuration anew.',
  ),
  engine_unreachable: entry(
    'process',
    'retry',
    'The engine does not answer.',
    'See `backproc status`, and the log; `backproc stop` ends it.',
  ),
  // Installing
  sqlite_missing: entry(
    'process',
    'wait-operator',
    'SQLite does not load in this Node.',
    'Run `npm ci` with the Node that runs backproc. On Node 20 that builds it, with python3, make and g++; Node 22.14 and newer need no compiler.',
  ),
  install_denied: entry(
    'process',
    'wait-operator',
    'This is the administrator’s to do.',
    'Run it again as root, or use --print.',
  ),
  install_foreign: entry(
    'process',
    'wait-operator',
    'There is a file of that name which is not of this installation; it was left alone.',
    'Move it away, or choose another --name.',
  ),
  install_failed: entry(
    'process',
    'wait-operator',
    'A program of the system’s failed.',
    'See its words; running the command again does no harm.',
  ),
  outbox_invalid: entry(
    'message',
    'wait-operator',
    'The outbox entry cannot be sent as it stands.',
    'Correct the row, then `backproc outbox retry ID`; others are not affected.',
  ),
  outbox_not_possible: entry(
    'process',
    'wait-operator',
    'The outbox entry is in a state that does not allow this.',
    'See `backproc outbox show ID`; an unknown one is settled by `outbox resolve`.',
  ),
  // Store
  store_newer: entry(
    'process',
    'wait-operator',
    'The database was written by a newer backproc.',
    'Install that version or a newer one; nothing was changed.',
  ),
  store_corrupt: entry(
    'process',
    'wait-operator',
    'The database file is damaged or is no database.',
    'Restore the last backup; then `backproc run` catches up.',
  ),
  store_busy: entry(
    'process',
    'retry',
    'Another program kept the database locked for too long.',
    'Keep write transactions of applications short.',
  ),
  store_full: entry(
    'process',
    'wait-operator',
    'The disk of the store is full.',
    'Free space; the next pass goes on where this one stopped.',
  ),
  store_io: entry(
    'process',
    'retry',
    'The store could not be read or written.',
    'Check disk, mount and permissions of the store folder.',
  ),
  store_refused: entry(
    'process',
    'retry',
    'The database refuses a change of the engine’s.',
    'Most often a trigger or foreign key that another program added: docs/schema.md says what it may add.',
  ),
  fenced: entry('process', 'none', 'A newer engine has taken this store over.', 'Nothing: this engine ends itself.'),
  secret_unreadable: entry(
    'account',
    'wait-operator',
    'A stored password cannot be decrypted with this key file.',
    'Restore the key file, or set the password again.',
  ),
  secret_key_unsafe: entry(
    'process',
    'wait-operator',
    'The key file can be read by others.',
    'chmod 600 the key file.',
  ),
  // Reaching the server
  host_not_found: entry(
    'account',
    'retry',
    'The name of the mail server was not found.',
    'Check the host name and DNS.',
  ),
  connection_refused: entry(
    'account',
    'retry',
    'The mail server refused the connection.',
    'Check host, port and firewall.',
  ),
  connection_lost: entry('account', 'retry', 'The connection broke.', 'Nothing: it is tried again.'),
  timeout: entry(
    'account',
    'retry',
    'The server did not answer in time.',
    'Check host, port and firewall; on a slow link raise EMAIL_NETWORK_TIMEOUT. It is tried again.',
  ),
  not_imap: entry(
    'account',
    'retry',
    'What answered is not an IMAP server, or TLS was expected where there is none.',
    'Check port and security (imaps:// or imap://).',
  ),
  not_smtp: entry(
    'account',
    'retry',
    'What answered is not an SMTP server, or TLS was expected where there is none.',
    'Check port and security (smtps:// or smtp://).',
  ),
  smtp_missing: entry(
    'account',
    'wait-operator',
    'The account has no server for sending.',
    '`backproc account set ACNTID --smtp smtps://HOST`; its outbox waits.',
  ),
  tls_untrusted: entry(
    'account',
    'wait-operator',
    'The TLS certificate of the server is not trusted: its issuer is not known here.',
    'Use a certificate of a public authority, or name its issuer’s file in the environment: NODE_EXTRA_CA_CERTS.',
  ),
  tls_expired: entry(
    'account',
    'wait-operator',
    'The TLS certificate of the server has expired.',
    'Have the certificate renewed, and check the clock of this machine.',
  ),
  tls_wrong_host: entry(
    'account',
    'wait-operator',
    'The TLS certificate of the server was made for another name.',
    'Use the host name that the certificate was made for.',
  ),
  tls_unavailable: entry(
    'account',
    'wait-operator',
    'The server does not offer STARTTLS.',
    'Use imaps:// or smtps://; the password was not sent.',
  ),
  tls_disagreed: entry(
    'account',
    'wait-operator',
    'No TLS was agreed on: the server speaks only versions, ciphers or keys that are no longer safe, or wants a certificate of ours.',
    'Have the server updated to TLS 1.2 or newer; the password was not sent.',
  ),
  tls_tampered: entry(
    'account',
    'wait-operator',
    'The server said more in the clear after STARTTLS: it is broken, or somebody on the way put it there.',
    'Use imaps:// or smtps://; the password was not sent.',
  ),
  // Logging in
  no_password: entry(
    'account',
    'wait-operator',
    'The account has no password yet.',
    '`backproc account set ACNTID --password-stdin`, or new_password in SQL.',
  ),
  auth_failed: entry(
    'account',
    'wait-operator',
    'The server refused this login.',
    'Set the right password or grant; it is tried again every EMAIL_AUTH_ERROR_CHECK_RETRY_TIME.',
  ),
  auth_unsupported: entry(
    'account',
    'wait-operator',
    'The server does not offer the way of logging in that this account needs.',
    'See `backproc account test`: it lists what the server offers.',
  ),
  token_unavailable: entry(
    'account',
    'retry',
    'The OAuth token endpoint could not be reached, or gave no token.',
    'Nothing: it is tried again. See the detail if this stays.',
  ),
  password_command_failed: entry(
    'account',
    'retry',
    'The command that hands out the password failed.',
    'Run it as the user of the engine; its first line of output must be the password.',
  ),
  auth_unavailable: entry('account', 'retry', 'The server cannot check logins now.', 'Nothing: it is tried again.'),
  too_many_connections: entry(
    'account',
    'retry',
    'The server allows no more connections for this account.',
    'Lower BG_MAX_CONNECTIONS_PER_ACCOUNT, for sending EMAIL_OUTBOX_MAX_CONNECTIONS_PER_ACCOUNT, if this stays.',
  ),
  throttled: entry(
    'account',
    'retry',
    'The server asked us to slow down.',
    'Nothing: it is tried again at the time it named.',
  ),
  daily_bytes_spent: entry(
    'account',
    'retry',
    'The bytes that BG_MAX_BYTES_PER_DAY_PER_ACCOUNT allows for a day are spent.',
    'Nothing: it goes on at midnight. Raise the limit if the provider allows more.',
  ),
  // Working with folders and messages
  command_refused: entry('folder', 'retry', 'The server refused a command.', 'See the detail; it is tried again.'),
  folder_missing: entry(
    'folder',
    'retry',
    'The folder was gone when it was opened.',
    'Nothing: the next complete listing decides.',
  ),
  uidvalidity_missing: entry(
    'folder',
    'retry',
    'The server named no UIDVALIDITY for this folder.',
    'The folder cannot be copied safely until it does.',
  ),
  uidvalidity_unstable: entry(
    'folder',
    'retry',
    'The UIDVALIDITY of this folder changes at every visit.',
    'Have the server repaired; the folder is tried again later.',
  ),
  response_too_large: entry(
    'folder',
    'retry',
    'The server sent more than any honest answer needs.',
    'See the folder at the server.',
  ),
  memory_short: entry(
    'account',
    'retry',
    'The unfinished answers of all servers together were more than the memory there is for them; the longest were given up.',
    'Nothing: it is tried again. Raise BACKPROC_MEMORY_LIMIT_MB if this stays.',
  ),
  protocol_violation: entry(
    'account',
    'retry',
    'The server broke the IMAP or SMTP protocol.',
    'Nothing: it is tried again.',
  ),
  message_too_large: entry(
    'message',
    'skip',
    'The message is larger than EMAIL_MAX_MESSAGE_BYTES.',
    'Raise the limit, then `backproc message retry`.',
  ),
  message_unfetchable: entry(
    'message',
    'retry',
    'The server does not hand this message out.',
    'It is tried again; `backproc message retry` does so now.',
  ),
  message_unstorable: entry(
    'message',
    'retry',
    'The message could not be stored.',
    'See its error in email_quarantine.',
  ),
  // Ourselves
  thread_died: entry(
    'thread',
    'retry',
    'A worker thread ended unexpectedly.',
    'Nothing: it is replaced; see the threading-error log.',
  ),
  log_unreadable: entry(
    'process',
    'wait-operator',
    'The log cannot be read.',
    'Read it as the user of the engine, as a member of its group, or as root; `backproc doctor` says who may.',
  ),
  aborted: entry('process', 'retry', 'The work was stopped before its end.', 'Nothing: the next pass goes on.'),
  bug: entry('process', 'none', 'backproc has a defect.', 'Please report it with the log lines around it.'),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;

/** An error as plain data: what crosses a thread border or goes into a log. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly scope: ErrorScope;
  readonly remedy: ErrorRemedy;
  readonly detail: string;
  /** UTC instant before which a retry is pointless, when the server named one. */
  readonly notBefore?: string;
}

export interface EngineErrorOptions {
  readonly cause?: unknown;
  readonly scope?: ErrorScope;
  readonly notBefore?: string;
}

/** `detail` says what was given and what was expected; it never holds a secret. */
export class EngineError extends Error {
  readonly code: ErrorCode;
  readonly scope: ErrorScope;
  readonly remedy: ErrorRemedy;
  readonly detail: string;
  readonly notBefore: string | undefined;

  constructor(code: ErrorCode, detail: string, options: EngineErrorOptions = {}) {
    super(`${catalogue[code].meaning} ${detail}`.trim(), options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'EngineError';
    this.code = code;
    this.scope = options.scope ?? catalogue[code].scope;
    this.remedy = catalogue[code].remedy;
    this.detail = detail;
    this.notBefore = options.notBefore;
  }

  toRecord(): ErrorRecord {
    const { code, scope, remedy, detail, notBefore } = this;
    return notBefore === undefined ? { code, scope, remedy, detail } : { code, scope, remedy, detail, notBefore };
  }
}

/** Anything thrown, as plain data. What is no EngineError is a bug of ours. */
export function toErrorRecord(error: unknown): ErrorRecord {
  return asEngineError(error).toRecord();
}

export function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new EngineError('bug', detail, { cause: error });
}

export function fromErrorRecord(record: ErrorRecord): EngineError {
  const options = record.notBefore === undefined ? {} : { notBefore: record.notBefore };
  return new EngineError(record.code, record.detail, { scope: record.scope, ...options });
}
