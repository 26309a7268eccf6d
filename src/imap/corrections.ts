/**
 * What imapflow 2.10.2 does around its commands that a background pass can't use, corrected on each client in one place:
 * - a throttled command would hold the connection for minutes; here it fails at once, and the wait is ours to keep;
 * - names would be prefixed with what a server answered to NAMESPACE or LIST "" ""; here a name is what was listed;
 * - names would be decoded and spelt anew, and some changed or refused; here they go back as they came (library-name.ts);
 * - EXAMINE of a folder that this connection did not list would LIST it first: a round trip for each folder.
 * - DEFLATE would come out in pieces of 16 KiB, each a trip through a thread pool and three streams: larger ones cost a tenth less;
 * - NAMESPACE and LSUB are answered here, and ID before the login: three round trips for what nobody reads;
 * - DEFLATE would be turned on with the login, or never; here it can be turned on between two commands;
 * - what the server sends can be looked through before the library reads it, so that bodies need not pass through its parser;
 * - a password by SASL would wait to be asked for, also where it may go with the command (RFC 4959): a round trip;
 * - VANISHED would be handed out UID by UID, which stops the thread for seconds a line: here it comes as ranges;
 * - every `+` of a login would be answered, also the millionth: here the connection ends;
 * - where the server has no SASL, LOGIN would be sent without the authzid, and open the wrong mailbox: here it fails.
 * What pipelining.ts needs of it is corrected there.
 */
import { createInflateRaw, type InflateRaw } from 'node:zlib';
import type { ImapFlow } from 'imapflow';
import { type Credentials, isDelegated, maskCredentials, saslPlain } from '../base/credentials.ts';
import { EngineError } from '../base/errors.ts';
import { type UidRange, uidCount, uidSetOfRanges } from '../base/uid-set.ts';
import { toEngineError } from './failure.ts';
import { internalsOf } from './internals.ts';
import { withWireNames } from './library-name.ts';
import { pipelines } from './link.ts';
import type { MessageLimit } from './message-limit.ts';
import { createPipeline, type Pipeline } from './pipelining.ts';
import type { SessionOptions } from './session.ts';
import { vanishedRanges } from './vanished-ranges.ts';

export interface CommandOptions extends Pick<SessionOptions, 'credentials' | 'link' | 'commandTimeoutMs'> {
  /** Told of each answer, once the library has it. */
  readonly limit: MessageLimit;
}

export interface Corrected {
  /** Of the login, once there was one; before: ''. */
  readonly mechanism: () => string;
  readonly pipeline: Pipeline;
}

/** Call before connecting. */
export function correctCommands(client: ImapFlow, options: CommandOptions): Corrected {
  const { credentials, link, commandTimeoutMs, limit } = options;
  const internals = internalsOf(client);
  const exec = internals.exec.bind(client);
  const pipeline = createPipeline(client, Math.min(silenceMsMax, commandTimeoutMs));
  let mechanism = '';
  internals.exec = async (command, attributes, ...rest) => {
    // Where ID is wanted at all, it is wanted after the login, and there the library sends it again.
    if (needless.has(command) || (command === 'ID' && mechanism === '')) return noAnswer;
    mechanism = mechanismOf(command, attributes) ?? mechanism;
    // Only of a server with IMAP4rev2 the library reads what it is, before it enables that.
    if (command === 'ID' && pipelines(link) && !client.capabilities.has('IMAP4rev2'))
      return pipeline.leave(exec(command, attributes, ...rest));
    // It has no place for the authzid.
    if (command === 'LOGIN' && isDelegated(credentials))
      throw new EngineError('auth_unsupported', 'opening the mailbox of another user needs AUTH=PLAIN');
    const sentMs = performance.now();
    try {
      const sent = client.capabilities.has('SASL-IR') ? withAnswer(command, attributes, credentials) : attributes;
      const work = (...more: unknown[]) => exec(command, withWireNames(command, sent), ...more);
      const answer = command === 'AUTHENTICATE' ? withFewContinuations(work, rest) : work(...rest);
      pipeline.noteAsked(command);
      const response = await answer;
      limit.noteAnswer(response);
      // The shortest command is the round trip, as nearly as a client can tell.
      link.roundTripMs = Math.min(link.roundTripMs, performance.now() - sentMs);
      return response;
    } catch (error) {
      const mask = (text: string): string => maskCredentials(text, credentials);
      throw isThrottled(error) ? toEngineError(error, { what: command, nowMs: Date.now(), mask }) : error;
    }
  };
  internals.throttleWait = () => Promise.resolve(false);
  inflateInLargePieces(client);
  return { mechanism: () => mechanism, pipeline };
}

function mechanismOf(command: string, attributes: unknown): string | undefined {
  if (command === 'LOGIN') return 'LOGIN';
  if (command !== 'AUTHENTICATE' || !Array.isArray(attributes)) return undefined;
  const [first]: unknown[] = attributes;
  return typeof first === 'object' && first !== null && 'value' in first ? String(first.value) : undefined;
}

/** The longest exchanges, LOGIN and a refused token, take two. */
const continuationCountMax = 10;

/** The last argument of exec may answer continuations by `onPlusTag`. Each answer waits in memory until the server reads it. */
function withFewContinuations(work: (...options: unknown[]) => Promise<unknown>, rest: unknown[]): Promise<unknown> {
  const [options] = rest;
  if (typeof options !== 'object' || options === null || !('onPlusTag' in options)) return work(...rest);
  const { onPlusTag } = options;
  return new Promise((resolve, reject) => {
    let count = 0;
    const answer = (...given: unknown[]): unknown => {
      count += 1;
      if (count <= continuationCountMax && typeof onPlusTag === 'function')
        return Reflect.apply(onPlusTag, options, given);
      reject(new EngineError('protocol_violation', 'the server asks for the login again and again'));
      return undefined;
    };
    work({ ...options, onPlusTag: answer }).then(resolve, reject);
  });
}

/** Should the server ask for the answer all the same, the library sends it again. */
function withAnswer(command: string, attributes: unknown, credentials: Credentials): unknown {
  if (command !== 'AUTHENTICATE' || mechanismOf(command, attributes) !== 'PLAIN') return attributes;
  if (!Array.isArray(attributes) || credentials.kind !== 'password') return attributes;
  return [...attributes, { type: 'ATOM', value: saslPlain(credentials), sensitive: true }];
}

const inflateChunkBytes = 128 * 1024;

/** The library makes its stream, assigns it to `_inflate` and reads it back to connect it: here it reads ours. */
function inflateInLargePieces(client: ImapFlow): void {
  let ours: InflateRaw | null = null;
  Object.defineProperty(client, '_inflate', {
    get: () => ours,
    set: (theirs: InflateRaw | null) => {
      theirs?.destroy();
      ours = theirs === null ? null : createInflateRaw({ chunkSize: inflateChunkBytes });
    },
  });
}

/** Between two commands. False: the server refused. RFC 4978: in the authenticated and in the selected state. */
export async function deflate(client: ImapFlow): Promise<boolean> {
  const internals = internalsOf(client);
  await internals.compress();
  return internals._inflate !== null;
}

const needless = new Set(['NAMESPACE', 'LSUB']);
/** ENABLE, the first of a few hundred sizes or folders: a server that needs longer is asked one by one. */
const silenceMsMax = 10_000;
const noAnswer = { next: () => undefined };

const isThrottled = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ETHROTTLE';

/** Call after connecting. */
export function dropPrefix(client: ImapFlow): void {
  const internals = internalsOf(client);
  internals.namespace = { ...internals.namespace, prefix: '' };
}

/**
 * UNSELECT (RFC 3691). Without it the folder stays open: CLOSE would expunge, at servers that forget that it was opened
 * read-only.
 */
export async function leaveFolder(client: ImapFlow): Promise<void> {
  if (client.mailbox && client.capabilities.has('UNSELECT')) await internalsOf(client).run('CLOSE', { unselect: true });
}

/** Call before opening a folder, with the name that the library is given (library-name.ts): it has not seen that one in a listing. */
export function markListed(client: ImapFlow, name: string): void {
  const { folders } = internalsOf(client);
  if (!folders.has(name)) folders.set(name, { path: name });
}

/**
 * As the library, but for the ranges: (EARLIER) is about messages that are no longer counted. Without it, it is never about a folder
 * that is being opened, and may be about the one before. Call before connecting.
 */
export function takeVanished(client: ImapFlow, onVanished: (ranges: readonly UidRange[]) => void): void {
  internalsOf(client).untaggedVanished = async ({ attributes = [] }, opening) => {
    const mailbox = opening ?? client.mailbox;
    if (!mailbox) return;
    const isEarlier = Array.isArray(attributes[0]);
    const ranges = vanishedRanges(textOf(attributes[isEarlier ? 1 : 0]));
    if (!isEarlier) mailbox.exists = Math.max(0, (mailbox.exists ?? 0) - uidCount(uidSetOfRanges(ranges)));
    if (isEarlier) onVanished(ranges);
    client.emit('expunge', {});
  };
}

/** All that the server said until now was about the folder that was open before (RFC 7162 3.2.11). Call before connecting. */
export function takeClosed(client: ImapFlow, onClosed: () => void): void {
  internalsOf(client).sectionHandlers.CLOSED = async () => onClosed();
}

const textOf = (token: unknown): string =>
  typeof token === 'object' && token !== null && 'value' in token ? String(token.value) : '';

/** Told after each chunk what the library's reader holds of an answer whose end has not come. Call before connecting. */
export function watchAnswers(client: ImapFlow, onHeld: (bytes: number) => void): void {
  const { streamer } = internalsOf(client);
  const transform = streamer._transform.bind(streamer);
  streamer._transform = (chunk, encoding, next) =>
    transform(chunk, encoding, (error) => {
      onHeld(streamer.lineBytes + streamer.responseBytes);
      next(error);
    });
}

/** imap-stream.js: between lines, not inside a literal. */
const lineState = 1;

/**
 * Every chunk that comes goes through `take` first, one after the other; what that returns goes on to the library. Returns how
 * to end it; null: an answer is under way, so the stream can't be entered here.
 */
export function divertStream(
  client: ImapFlow,
  take: (chunk: Buffer) => Promise<readonly Buffer[]>,
): (() => void) | null {
  const internals = internalsOf(client);
  const { streamer } = internals;
  if (streamer.processingInput || streamer.state !== lineState || streamer.lineBytes + streamer.inputBuffer.length > 0)
    return null;
  const before = streamer._transform;
  const transform = before.bind(streamer);
  streamer._transform = (chunk, encoding, next) => {
    internals._processingResponse = true;
    const passOn = (rest: readonly Buffer[]): void => {
      internals._processingResponse = false;
      const [only] = rest;
      if (only === undefined) next();
      else transform(rest.length === 1 ? only : Buffer.concat(rest), encoding, next);
    };
    take(chunk).then(passOn, next);
  };
  return () => {
    streamer._transform = before;
  };
}
