/**
 * The line format of the log (DESIGN.md, Log): `[YYYY-MM-DD HH:MM:SS][#PID.tN] message [ACNTID,EMFDID]`. Pure. One event is
 * one line whatever a mail, a folder name or a server says: control and bidi characters are escaped, so nobody can write a
 * line of their own into the log, or hide one.
 */

export interface LogPlace {
  readonly acntid: number;
  /** Absent where no folder is meant: written as 0. */
  readonly emfdid?: number;
}

export interface LogEvent {
  /** Local date and time, `2026-11-23 05:17:00`. */
  readonly at: string;
  readonly pid: number;
  /** `t0` is the main thread. */
  readonly thread: string;
  readonly message: string;
  readonly place?: LogPlace | undefined;
}

export function formatLogLine({ at, pid, thread, message, place }: LogEvent): string {
  return `[${at}][#${pid}.${thread}] ${formatMessage({ message, place })}`;
}

/** Message and trailer, without time and thread. */
export function formatMessage({ message, place }: Pick<LogEvent, 'message' | 'place'>): string {
  const text = escapeForLog(message);
  const trailer = place ? ` [${place.acntid},${place.emfdid ?? 0}]` : endsLikeTrailer(text) ? '.' : '';
  return `${text}${trailer}`;
}

/** Without an account nothing may end like one: `grep '\[53,'` must not find what a server made up. */
const endsLikeTrailer = (text: string): boolean => /\[\d+,\d+\]$/.test(text);

/** C0, DEL, C1, line and paragraph separators, bidi controls, unpaired surrogates. */
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Can be read back: a backslash is doubled. */
export const escapeForLog = (text: string): string => escapeControls(text.replaceAll('\\', '\\\\'));

/** For people to look at: what could move their cursor or hide something is written out, the rest stands as it is. */
export const escapeControls = (text: string): string => text.replace(unsafe, escapeOne);

function escapeOne(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const nameCharsMax = 200;

/** A folder name or other foreign text inside a message: quoted and capped; the formatter escapes it. */
export function quoteName(name: string): string {
  return `"${name.length > nameCharsMax ? `${name.slice(0, nameCharsMax)}…` : name}"`;
}
