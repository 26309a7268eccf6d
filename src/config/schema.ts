/**
 * The one schema of the configuration: names, types, units, defaults, bounds and what goes wrong outside of them.
 * docs/configuration.md and the checks of config.example.ts come from here.
 */
import { hostname } from 'node:os';
import { z } from 'zod';

interface Constant {
  readonly schema: z.ZodType;
  readonly fallback: unknown;
  /** What the error says is expected. */
  readonly expected: string;
  readonly group: string;
  readonly text: string;
}

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false; // Intl knows no such zone
  }
};

/** An empty TZ has no name that Intl takes back; to the C library it means UTC. */
function systemZone(): string {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return isTimeZone(timeZone) ? timeZone : 'UTC';
}

const describeUnit = (unit: string): string => (unit === '' ? '' : ` ${unit}`);
const whole = (group: string, fallback: number, min: number, max: number, unit: string, text: string) => ({
  schema: z.number().int().min(min).max(max),
  fallback,
  expected: `a whole number of${describeUnit(unit)} from ${min} to ${max}`,
  group,
  text,
});
const wholeOrNull = (group: string, fallback: number | null, min: number, max: number, unit: string, text: string) => ({
  ...whole(group, 0, min, max, unit, text),
  schema: z.number().int().min(min).max(max).nullable(),
  fallback,
  expected: `a whole number of${describeUnit(unit)} from ${min} to ${max}, or null`,
});
const onOff = (group: string, fallback: boolean, text: string) => ({
  schema: z.boolean(),
  fallback,
  expected: 'true or false',
  group,
  text,
});
/** No system has a file name with a NUL. */
const isPath = (value: string): boolean => value !== '' && !value.includes('\0');
const path = (group: string, fallback: string, text: string) => ({
  schema: z.string().refine(isPath),
  fallback,
  expected: 'a path',
  group,
  text,
});
const pathOrNull = (group: string, text: string) => ({
  schema: z.string().refine(isPath).nullable(),
  fallback: null,
  expected: 'a path, or null',
  group,
  text,
});
const oneOf = <const T extends readonly [string, ...string[]]>(
  group: string,
  values: T,
  fallback: T[number],
  text: string,
) => ({
  schema: z.enum(values),
  fallback,
  expected: values.map((value) => `'${value}'`).join(' or '),
  group,
  text,
});
const matching = (group: string, fallback: string, pattern: RegExp, expected: string, text: string) => ({
  schema: z.string().regex(pattern),
  fallback,
  expected,
  group,
  text,
});

const places = 'Places';
const engine = 'Engine';
const limits = 'Threads and limits';
const logging = 'Log';
const email = 'Mail';
const outbox = 'Outbox';

/** Null: no limit. What is absent is left to the built-in table of providers, then to the constants. */
const limitsOfProvider = z.strictObject({
  connections: z.number().int().min(1).max(100).optional(),
  messagesPerMinute: z.number().int().min(1).max(1_000_000).nullable().optional(),
  recipientsPerDay: z.number().int().min(1).max(100_000_000).nullable().optional(),
  recipientsPerMessage: z.number().int().min(1).max(1000).optional(),
  messagesPerConnection: z.number().int().min(1).max(100_000).optional(),
});

export const constants = {
  BACKPROC_PID_LOCATION: path(places, 'pid', 'Folder of backproc.pid, which exists only while the engine runs.'),
  BACKPROC_DATA_LOCATION: path(
    places,
    'data',
    'Folder of the job database; may be a RAM disk, may vanish at any time.',
  ),
  BACKPROC_LOG_LOCATION: path(places, 'logs', 'Folder of the log files.'),
  BACKPROC_STORE: matching(
    places,
    'sqlite:store/mail.db',
    /^(sqlite:.+|postgres(ql)?:\/\/.+)$/,
    "'sqlite:FILE' or 'postgres://…'",
    'The durable mail store.',
  ),
  BACKPROC_SECRET_KEY_FILE: path(
    places,
    'store/secret.key',
    'Key that the stored passwords are encrypted with; made at first use, mode 0600. Back it up apart from the store: without it every password must be set again.',
  ),
  BACKPROC_RUN_AS: {
    schema: z.string().min(1).nullable(),
    fallback: null,
    expected: 'a user name, or null',
    group: engine,
    text: 'Started by root, the engine drops to this user.',
  },
  BACKPROC_MEMORY_LIMIT_MB: whole(
    engine,
    1024,
    128,
    1_048_576,
    'MiB',
    'Past it the engine ends itself, to be launched again. Too small: it restarts all the time.',
  ),
  BACKPROC_STOP_GRACE_SECONDS: whole(
    engine,
    600,
    1,
    86_400,
    'seconds',
    'How long a stop waits for work in progress. Nothing is lost when it is cut off; it is done again.',
  ),
  BACKPROC_TIME_ZONE: {
    schema: z.string().refine(isTimeZone),
    fallback: systemZone(),
    expected: "an IANA time zone such as 'Europe/Warsaw'",
    group: engine,
    text: 'Zone of the log and of times of day in this file. Default: the system’s.',
  },
  BACKPROC_NODE_ID: matching(
    engine,
    hostname(),
    /^[\w.-]{1,100}$/,
    'letters, digits, dots and dashes',
    'Name of this machine; the job database is named after it. Default: the host name.',
  ),
  BACKPROC_WEB_LISTEN: {
    schema: z
      .string()
      .regex(/^(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}$/)
      .nullable(),
    fallback: '127.0.0.1:8025',
    expected: "'HOST:PORT', or null",
    group: engine,
    text: 'Where the web pages will listen, which come with a later version; null: off.',
  },
  BG_MAX_THREADS: whole(
    limits,
    14,
    1,
    64,
    'threads',
    'Most worker threads. A thread costs about 24 MB; one serves dozens of connections.',
  ),
  BG_MAX_TASKS_PER_THREAD: whole(limits, 200, 1, 10_000, 'tasks', 'Most tasks queued in one thread.'),
  BG_THREAD_CONCURRENCY: whole(
    limits,
    16,
    1,
    256,
    'tasks',
    'Accounts that one thread works on at a time; half as many more before another thread is started. Too small: round trips are waited for one after the other.',
  ),
  BG_MAX_CONNECTIONS_PER_HOST: whole(
    limits,
    20,
    1,
    1000,
    'connections',
    'Most connections to one mail server at a time. Too large: the server refuses logins.',
  ),
  BG_MAX_CONNECTIONS_PER_ACCOUNT: whole(
    limits,
    3,
    1,
    20,
    'connections',
    'Most connections of one account at a time. Dovecot’s default limit is 10, Gmail’s 15, and people’s own programs need some.',
  ),
  BG_MAX_BYTES_PER_DAY_PER_ACCOUNT: wholeOrNull(
    limits,
    null,
    1_048_576,
    1_000_000_000_000,
    'bytes',
    'Most bytes fetched per account and local day; Gmail locks accounts above 2,500 MB.',
  ),
  BG_LOG_LEVEL: oneOf(
    logging,
    ['debug', 'info', 'warn', 'error'],
    'info',
    'debug also shows folder passes that did nothing.',
  ),
  BG_LOG_FORMAT: oneOf(logging, ['line', 'json'], 'line', 'json keeps every record as one JSON object a line.'),
  BG_LOG_JOURNAL: onOff(
    logging,
    false,
    'Under systemd: every line also to the journal. The files are written in any case.',
  ),
  BG_LOG_RETENTION_DAYS: whole(logging, 14, 1, 3650, 'days', 'Log files older than this are removed.'),
  EMAIL_READING_ENABLED: onOff(
    email,
    true,
    'Read stored mail into texts, attachments, conversations and the search index; false: bytes and header fields only.',
  ),
  EMAIL_OUTBOX_ENABLED: onOff(email, true, 'Send what applications put into email_outbox.'),
  EMAIL_BACKGROUND_SYNC_ENABLED: onOff(email, true, 'Synchronise folders in `run`; `sync` works in any case.'),
  EMAIL_AUTH_ERROR_CHECK_RETRY_TIME: whole(
    email,
    1800,
    60,
    604_800,
    'seconds',
    'How often an account whose login was refused is tried again. Too small: providers lock the account.',
  ),
  EMAIL_PASSWORD_COMMAND: {
    schema: z.array(z.string().min(1)).min(1).nullable(),
    fallback: null,
    expected: "a list of words such as ['pass', 'show', 'mail/{acntid}'], or null",
    group: email,
    text: 'Program and arguments that print the password of an account that has none of its own; {acntid}, {email}, {user}, {host} and {protocol} are filled in. No shell runs it.',
  },
  EMAIL_NETWORK_TIMEOUT: whole(
    email,
    60,
    1,
    600,
    'seconds',
    'How long a server may take to answer a command, and how long for each MiB it sends. Too small: slow links never finish.',
  ),
  EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL: whole(
    email,
    600,
    1,
    604_800,
    'seconds',
    'High-priority folders, user logged in: from the end of one recent sync to the next.',
  ),
  EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL_NL: whole(
    email,
    1800,
    1,
    604_800,
    'seconds',
    'The same, user not logged in.',
  ),
  EMAIL_BG_HI_FOLDERS_FOLDERS_FULL_SYNC_INTERVAL: whole(
    email,
    3600,
    1,
    604_800,
    'seconds',
    'High-priority folders, user logged in: from one full sync to the next.',
  ),
  EMAIL_BG_HI_FOLDERS_FOLDERS_FULL_SYNC_INTERVAL_NL: whole(
    email,
    4800,
    1,
    604_800,
    'seconds',
    'The same, user not logged in.',
  ),
  EMAIL_BG_LO_FOLDERS_SYNC_START: matching(
    email,
    '20:00',
    /^([01]\d|2[0-3]):[0-5]\d$/,
    "a time of day 'HH:MM'",
    'Low-priority folders get one full sync a day from this time on.',
  ),
  EMAIL_PRESENCE_TIMEOUT: whole(
    email,
    900,
    10,
    604_800,
    'seconds',
    'A user counts as logged in for this long after email_presence.last_seen_at.',
  ),
  EMAIL_MAX_MESSAGE_BYTES: whole(
    email,
    104_857_600,
    65_536,
    1_000_000_000,
    'bytes',
    'Larger messages are quarantined with their headers only. Memory use grows with it.',
  ),
  EMAIL_IDLE_ENABLED: onOff(email, true, 'Watch the INBOX of logged-in users by IDLE.'),
  EMAIL_OUTBOX_UNKNOWN: oneOf(
    email,
    ['hold', 'resend-once'],
    'hold',
    'What happens to mail whose delivery could not be confirmed.',
  ),
  EMAIL_ATTACHMENT_ROOT: pathOrNull(email, 'Folder that outbox attachments may be read from.'),
  EMAIL_PICKUP_LOCATION: pathOrNull(email, 'For a later version: folder watched for .eml files to send.'),
  EMAIL_TOMBSTONE_RETENTION_DAYS: wholeOrNull(
    email,
    30,
    1,
    36_500,
    'days',
    'How long rows of vanished messages are kept; null: for ever. The content goes with the last row that has it.',
  ),
  EMAIL_CHANGES_RETENTION_DAYS: wholeOrNull(
    email,
    30,
    1,
    36_500,
    'days',
    'How long rows of email_changes are kept; null: for ever. An application that looks less often than that must read everything again.',
  ),
  EMAIL_OUTBOX_RETENTION_DAYS: wholeOrNull(
    email,
    null,
    1,
    36_500,
    'days',
    'How long a finished outbox entry keeps its text, raw bytes and attempts; null: for ever. The entry and its recipients stay.',
  ),
  EMAIL_OUTBOX_MAX_CONNECTIONS_PER_ACCOUNT: whole(
    outbox,
    5,
    1,
    100,
    'connections',
    'Most connections of one account for sending; providers with a lower limit get theirs (docs/outbox.md). Too large: the server refuses logins.',
  ),
  EMAIL_OUTBOX_MESSAGES_PER_MINUTE: wholeOrNull(
    outbox,
    null,
    1,
    1_000_000,
    'messages',
    'Most messages an account sends in a minute; the rest waits. null: no limit but the provider’s.',
  ),
  EMAIL_OUTBOX_RECIPIENTS_PER_DAY: wholeOrNull(
    outbox,
    null,
    1,
    100_000_000,
    'recipients',
    'Most recipients an account sends to within 24 hours; the rest waits. null: no limit but the provider’s.',
  ),
  EMAIL_OUTBOX_RECIPIENTS_PER_MESSAGE: whole(
    outbox,
    100,
    1,
    1000,
    'recipients',
    'Most recipients of one SMTP transaction; more are sent in several. Every server must take 100 (RFC 5321 4.5.3.1.8).',
  ),
  EMAIL_OUTBOX_PROVIDERS: {
    schema: z.record(z.string().regex(/^[a-z0-9.-]+$/), limitsOfProvider),
    fallback: {},
    expected:
      "an object like { 'smtp.example.com': { connections: 2, messagesPerMinute: 30, recipientsPerDay: 2000, recipientsPerMessage: 50, messagesPerConnection: 100 } }",
    group: outbox,
    text: 'Limits of providers by the end of the host name, before the built-in ones and the constants above.',
  },
  EMAIL_OUTBOX_MAX_MESSAGE_BYTES: whole(
    outbox,
    36_700_160,
    65_536,
    1_000_000_000,
    'bytes',
    'Larger mails are rejected before they are tried. Most providers take 25 to 35 MB, and base64 adds a third.',
  ),
  EMAIL_OUTBOX_GIVE_UP_HOURS: whole(
    outbox,
    120,
    1,
    720,
    'hours',
    'How long a recipient that is put off is tried again, from the first attempt (RFC 5321 4.5.4.1: four to five days).',
  ),
} as const satisfies Record<string, Constant>;

export type ConstantName = keyof typeof constants;
export type Config = { readonly [K in ConstantName]: z.infer<(typeof constants)[K]['schema']> };

export const constantNames = Object.keys(constants) as ConstantName[];
