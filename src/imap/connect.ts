/**
 * Makes a logged-in imapflow client that is safe to use: limits on everything a server may send, no plaintext by accident, no
 * IDLE of its own, errors that can't end the process.
 */
import { ImapFlow, type ImapFlowOptions } from 'imapflow';
import { withDeadline } from '../base/abort.ts';
import { type Credentials, maskCredentials } from '../base/credentials.ts';
import type { EngineError } from '../base/errors.ts';
import type { UidRange } from '../base/uid-set.ts';
import type { AnswerRoom } from './answer-room.ts';
import { correctCommands, dropPrefix, takeClosed, takeVanished, watchAnswers } from './corrections.ts';
import { toEngineError } from './failure.ts';
import { giveUpPipelining, pipelines } from './link.ts';
import { type AskedListing, askListing } from './listing.ts';
import { createMessageLimit, type MessageLimit } from './message-limit.ts';
import type { Pipeline } from './pipelining.ts';
import type { SessionOptions } from './session.ts';

const connectTimeoutMs = 30_000;
const greetingTimeoutMs = 15_000;
/** Between commands and in IDLE: then the server is asked with a NOOP. Commands have deadlines of their own (open-session.ts). */
const silenceMs = 5 * 60_000;
/** Longer lines hold no honest answer: 16 MiB is a UID SEARCH of two million messages. */
export const lineBytesMax = 16 * 1024 * 1024;
export const responseSlackBytes = 16 * 1024 * 1024;
const responseTokensMax = 200_000;
/** Its VANISHED answers are malformed (seen in 2024): QRESYNC would delete mail that is there. */
const hostsWithoutQresync = ['imap.mail.me.com', 'imap.mail.icloud.com'];

export interface Connected {
  readonly client: ImapFlow;
  readonly roundTripMs: number;
  /** What the login was made with: `PLAIN`, `LOGIN`, `XOAUTH2`, `OAUTHBEARER`. */
  readonly mechanism: string;
  readonly pipeline: Pipeline;
  readonly limit: MessageLimit;
  /** Asked for by the login (`listsFirst`). */
  readonly asked: AskedListing | null;
  /** Answers so far that could not be read. */
  readonly droppedCount: () => number;
  /** So many more, which the library never saw. */
  readonly noteDropped: (count: number) => void;
}

interface OnOpening {
  /** What VANISHED (EARLIER) names. */
  readonly onVanished: (ranges: readonly UidRange[]) => void;
  /** All that came before was about another folder. */
  readonly onClosed: () => void;
}

/** `told`: of what the server says while a folder is being opened, among others. */
export async function connect(options: SessionOptions, told: OnOpening): Promise<Connected> {
  let isSuspect = false;
  const suspect = (): void => {
    isSuspect = true;
  };
  try {
    return await logIn(options, told, suspect);
  } catch (error) {
    if (!isSuspect || options.signal.aborted) throw error;
    giveUpPipelining(options.link, options.onWarning);
    return logIn(options, told, suspect);
  }
}

/** `onSuspect`: it failed where two commands were under way, which the server may be unable to take. */
async function logIn(given: SessionOptions, told: OnOpening, onSuspect: () => void): Promise<Connected> {
  const warnings = holdWarnings(given.onWarning);
  const options = { ...given, onWarning: warnings.take };
  const dropped = { count: 0 };
  const client = new ImapFlow(clientOptions(options, dropped));
  // Without a listener a broken socket would end the process; the command under way rejects by itself.
  client.on('error', (error: Error) => options.onWarning(`connection: ${error.message}`));
  const droppedCount = (): number => dropped.count;
  const noteDropped = (count: number): void => {
    dropped.count += count;
  };
  const limit = createMessageLimit(() => noteDropped(1));
  const { mechanism, pipeline } = correctCommands(client, { ...options, limit });
  let asked: AskedListing | null = null;
  if (options.listsFirst === true)
    pipeline.behind('ENABLE', () => {
      if (!pipelines(options.link) || client.capabilities.has('IMAP4rev2')) return;
      // The library has its prefix by now, and would list below it.
      dropPrefix(client);
      asked = askListing({ client, withStatus: true, droppedCount });
    });
  takeVanished(client, told.onVanished);
  takeClosed(client, told.onClosed);
  const noRoom = boundAnswers(client, options.room);
  const what = `login as ${options.credentials.user} at ${options.host}:${options.port}`;
  try {
    const deadline = {
      ms: connectTimeoutMs + greetingTimeoutMs + options.commandTimeoutMs,
      onExpire: () => client.close(),
      signal: options.signal,
      what,
    };
    await withDeadline(client.connect(), deadline);
  } catch (error) {
    // A refusal would have come before: ID and ENABLE are sent when the login is granted.
    if (pipeline.wasUsed) onSuspect();
    client.close();
    throw (
      noRoom() ??
      toEngineError(error, {
        what,
        nowMs: Date.now(),
        mask: (text) => maskCredentials(text, options.credentials),
        hasGreeted: 'greetingReceived' in client && client.greetingReceived === true,
      })
    );
  }
  dropPrefix(client);
  warnings.release();
  return {
    client,
    roundTripMs: options.link.roundTripMs,
    mechanism: mechanism(),
    pipeline,
    asked,
    limit,
    droppedCount,
    noteDropped,
  };
}

/** Of one login; a server may cause any number. */
const heldWarningsMax = 20;

/** A login that fails is told by its error, and what the library says of it on the way (`Command failed`) tells nothing more. */
function holdWarnings(onWarning: (text: string) => void): {
  readonly take: (text: string) => void;
  readonly release: () => void;
} {
  let held: string[] | null = [];
  return {
    take(text) {
      if (held === null) onWarning(text);
      else if (held.length < heldWarningsMax) held.push(text);
    },
    release() {
      for (const text of held ?? []) onWarning(text);
      held = null;
    },
  };
}

/** Returns why the connection was given up, if it was. */
function boundAnswers(client: ImapFlow, room: AnswerRoom | null): () => EngineError | null {
  let given: EngineError | null = null;
  const held = room?.enter((reason) => {
    given = reason;
    client.emit('error', reason);
    client.close();
  });
  if (held) watchAnswers(client, (bytes) => held.hold(bytes));
  client.on('close', () => held?.leave());
  return () => given;
}

function clientOptions(options: SessionOptions, dropped: { count: number }): ImapFlowOptions {
  return {
    host: options.host,
    port: options.port,
    secure: options.security === 'tls',
    doSTARTTLS: options.security === 'starttls',
    auth: authOf(options.credentials),
    tls: { minVersion: 'TLSv1.2' },
    // The rest would be the library's version, maker and address, told to the server as ours.
    clientInfo: { name: 'backproc', version: '', vendor: '', 'support-url': '' },
    logger: libraryLogger(options, dropped),
    disableAutoIdle: true,
    // Turned on later, where it pays (compression.ts).
    disableCompression: true,
    qresync: !hostsWithoutQresync.includes(options.host.toLowerCase()),
    connectionTimeout: Math.min(connectTimeoutMs, options.commandTimeoutMs),
    greetingTimeout: Math.min(greetingTimeoutMs, options.commandTimeoutMs),
    socketTimeout: silenceMs,
    maxLineLength: lineBytesMax,
    maxLiteralSize: options.literalBytesMax,
    maxResponseSize: options.literalBytesMax + responseSlackBytes,
    maxResponseTokens: responseTokensMax,
  };
}

/**
 * A token goes out as OAUTHBEARER where that is offered, else as XOAUTH2 (imapflow 2.10.2, commands/authenticate.js). A password
 * with an authzid must go out as PLAIN: every other way would leave the authzid out and open the wrong mailbox.
 */
function authOf(credentials: Credentials): NonNullable<ImapFlowOptions['auth']> {
  if (credentials.kind === 'token') return { user: credentials.user, accessToken: credentials.accessToken };
  const { user, password, authzid } = credentials;
  return authzid === undefined
    ? { user, pass: password }
    : { user, pass: password, authzid, loginMethod: 'AUTH=PLAIN' };
}

/** Only what an administrator can use; an answer that could not be parsed is counted, because it may look like an absence. */
function libraryLogger(options: SessionOptions, dropped: { count: number }) {
  const ignore = (): void => undefined;
  const problem = (entry: LibraryEntry): void => {
    const text = `${entry.msg ?? ''} ${entry.err?.message ?? ''}`.trim();
    if (isDrop(entry)) dropped.count += 1;
    if (text !== '') options.onWarning(maskCredentials(text, options.credentials).slice(0, 300));
  };
  // Else the library would write out every answer as text, for nobody: a fifth of a scan's CPU.
  const isLevelEnabled = (level: string): boolean => level === 'error' || level === 'fatal';
  const drop = (entry: LibraryEntry): void => (isDrop(entry) ? problem(entry) : undefined);
  return { isLevelEnabled, debug: ignore, info: ignore, warn: drop, error: problem, fatal: problem };
}

interface LibraryEntry {
  readonly msg?: string;
  readonly err?: Error;
  /** `s`: `msg` is what the server sent. */
  readonly src?: string;
}

/** A line that its parser, or the reader of that kind of answer, could not read (imap-flow.js, handleResponse). */
const isDrop = ({ src, msg = '' }: LibraryEntry): boolean =>
  src === 's' || msg === 'Failed to process untagged response';
