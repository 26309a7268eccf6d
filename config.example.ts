// Copy to config.ts and keep what you change; every constant is optional. Meanings and bounds: docs/configuration.md.
// Relative paths are relative to the folder of this file. `backproc config check` lists every mistake at once.

// Places
export const BACKPROC_PID_LOCATION = 'pid';
export const BACKPROC_DATA_LOCATION = 'data';
export const BACKPROC_LOG_LOCATION = 'logs';
export const BACKPROC_STORE = 'sqlite:store/mail.db';
export const BACKPROC_SECRET_KEY_FILE = 'store/secret.key';

// Engine
export const BACKPROC_RUN_AS = null;
export const BACKPROC_MEMORY_LIMIT_MB = 1024;
export const BACKPROC_STOP_GRACE_SECONDS = 600;
// export const BACKPROC_TIME_ZONE = 'Europe/Warsaw'; // default: the system's
// export const BACKPROC_NODE_ID = 'mail1'; // default: the host name
export const BACKPROC_WEB_LISTEN = '127.0.0.1:8025';

// Threads and limits
export const BG_MAX_THREADS = 14;
export const BG_MAX_TASKS_PER_THREAD = 200;
export const BG_THREAD_CONCURRENCY = 16;
export const BG_MAX_CONNECTIONS_PER_HOST = 20;
export const BG_MAX_CONNECTIONS_PER_ACCOUNT = 3;
export const BG_MAX_BYTES_PER_DAY_PER_ACCOUNT = null;

// Log
export const BG_LOG_LEVEL = 'info';
export const BG_LOG_FORMAT = 'line';
export const BG_LOG_JOURNAL = false;
export const BG_LOG_RETENTION_DAYS = 14;

// Mail
export const EMAIL_OUTBOX_ENABLED = true;
export const EMAIL_READING_ENABLED = true;
export const EMAIL_BACKGROUND_SYNC_ENABLED = true;
export const EMAIL_AUTH_ERROR_CHECK_RETRY_TIME = 1800;
export const EMAIL_PASSWORD_COMMAND = null; // or ['pass', 'show', 'mail/{acntid}']
export const EMAIL_NETWORK_TIMEOUT = 60;
export const EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL = 600;
export const EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL_NL = 1800;
export const EMAIL_BG_HI_FOLDERS_FOLDERS_FULL_SYNC_INTERVAL = 3600;
export const EMAIL_BG_HI_FOLDERS_FOLDERS_FULL_SYNC_INTERVAL_NL = 4800;
export const EMAIL_BG_LO_FOLDERS_SYNC_START = '20:00';
export const EMAIL_PRESENCE_TIMEOUT = 900;
export const EMAIL_MAX_MESSAGE_BYTES = 104_857_600;
export const EMAIL_IDLE_ENABLED = true;
export const EMAIL_OUTBOX_UNKNOWN = 'hold';
export const EMAIL_ATTACHMENT_ROOT = null;
export const EMAIL_PICKUP_LOCATION = null;
export const EMAIL_TOMBSTONE_RETENTION_DAYS = 30;
export const EMAIL_CHANGES_RETENTION_DAYS = 30;
export const EMAIL_OUTBOX_RETENTION_DAYS = null;

// Outbox
export const EMAIL_OUTBOX_MAX_CONNECTIONS_PER_ACCOUNT = 5;
export const EMAIL_OUTBOX_MESSAGES_PER_MINUTE = null;
export const EMAIL_OUTBOX_RECIPIENTS_PER_DAY = null;
export const EMAIL_OUTBOX_RECIPIENTS_PER_MESSAGE = 100;
export const EMAIL_OUTBOX_PROVIDERS = {}; // { 'smtp.example.com': { connections: 2, messagesPerMinute: 30 } }
export const EMAIL_OUTBOX_MAX_MESSAGE_BYTES = 36_700_160;
export const EMAIL_OUTBOX_GIVE_UP_HOURS = 120;
