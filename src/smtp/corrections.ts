/**
 * What nodemailer 10.6 does not do by itself, added on each connection in one place: MAIL gets the SMTPUTF8 keyword when the
 * headers need it, not only when an address of the envelope does (RFC 6531 3.4); AUTH is what a line of its own offers; replies
 * that nobody asked for are bounded. It refuses to start with a version of the library that has lost the members.
 */
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { EngineError } from '../base/errors.ts';

interface Internals {
  _onData(chunk: Buffer): void;
  _onResponseTooLarge(): void;
  /** Lines that have come, and what waits for one. */
  readonly _responseQueue: readonly string[];
  readonly _responseActions: readonly unknown[];
  _sendCommand(command: string, forLog?: string): void;
  readonly _supportedExtensions: readonly string[];
  readonly _maxAllowedSize: number;
  /** Without the greeting. Not there after HELO. */
  readonly _ehloLines?: readonly string[];
}

const hasInternals = (connection: object): connection is Internals =>
  '_sendCommand' in connection &&
  '_maxAllowedSize' in connection &&
  '_onData' in connection &&
  '_onResponseTooLarge' in connection &&
  '_responseQueue' in connection &&
  '_responseActions' in connection &&
  '_supportedExtensions' in connection &&
  Array.isArray(connection._supportedExtensions);

export function internalsOf(connection: SMTPConnection): Internals {
  const object: object = connection;
  if (hasInternals(object)) return object;
  throw new EngineError('bug', 'this version of nodemailer lacks a member that is needed: see smtp/corrections.ts');
}

/** An honest server says nothing unasked but that it closes. */
const unaskedRepliesMax = 1000;

/** The library bounds a reply, not how many wait: it takes one a turn, an empty line costs it nothing, and the queue grew for minutes. */
export function boundReplies(connection: SMTPConnection): void {
  const internals = internalsOf(connection);
  const take = internals._onData.bind(connection);
  internals._onData = (chunk) => {
    take(chunk);
    const { _responseQueue: come, _responseActions: asked } = internals;
    if (come.length > asked.length + unaskedRepliesMax) internals._onResponseTooLarge();
  };
}

/**
 * Null: the server has no AUTH (RFC 4954 3). The library believes so of one with AUTH anywhere in its answer to EHLO, such as in its
 * name, and of each that knows HELO alone.
 */
export function mechanismsOf(connection: SMTPConnection): string[] | null {
  const { _ehloLines: lines = [] } = internalsOf(connection);
  const offers = lines.filter((line) => /^AUTH(?:[ =]|$)/i.test(line));
  if (offers.length === 0) return null;
  return offers.flatMap((line) => line.toUpperCase().split(/[ =]+/).slice(1));
}

export interface Utf8Switch {
  isOn: boolean;
}

export function addUtf8Keyword(connection: SMTPConnection): Utf8Switch {
  const internals = internalsOf(connection);
  const utf8: Utf8Switch = { isOn: false };
  const send = internals._sendCommand.bind(connection);
  internals._sendCommand = (command, forLog) => {
    const isMissing = utf8.isOn && command.startsWith('MAIL FROM:') && !command.includes(' SMTPUTF8');
    send(isMissing ? `${command} SMTPUTF8` : command, forLog);
  };
  return utf8;
}
