/**
 * Names in a Maildir: of messages (time, our id, size, flags) and of folders (Maildir++). Pure. A folder's path comes from a mail
 * server: whatever is in it, the name is one harmless entry of one folder.
 */

export interface MaildirMessage {
  readonly id: number;
  readonly receivedAt: string | null;
  readonly bytes: number;
  /** As email_messages.flags has them. */
  readonly flags: string;
}

/** The same for the same message at every export, so that one that was cut short goes on where it stopped. */
export function maildirBaseName({ id, receivedAt, bytes }: Omit<MaildirMessage, 'flags'>): string {
  return `${Math.floor(Date.parse(receivedAt ?? '1970-01-01T00:00:00Z') / 1000)}.M${id}.backproc,S=${bytes}`;
}

const letters: Readonly<Record<string, string>> = {
  '\\draft': 'D',
  '\\flagged': 'F',
  $forwarded: 'P',
  '\\answered': 'R',
  '\\seen': 'S',
  '\\deleted': 'T',
};

/** `2,FS`, letters in the order of ASCII. */
export function maildirInfo(flags: string): string {
  const found = flags
    .toLowerCase()
    .split(' ')
    .map((flag) => letters[flag] ?? '');
  return `2,${[...new Set(found)].sort().join('')}`;
}

export interface KnownName {
  readonly id: number;
  readonly bytes: number;
}

/** Of a name that maildirBaseName made; null for any other. */
export function parseMaildirName(name: string): KnownName | null {
  const match = /^-?\d+\.M(\d+)\.backproc,S=(\d+)(?:$|[:;])/.exec(name);
  return match && { id: Number(match[1]), bytes: Number(match[2]) };
}

/** File systems take 255 bytes. */
const nameCharsMax = 200;

/** Maildir++: INBOX is the Maildir itself (empty name), `Work/2026` is `.Work.2026`, other characters are in modified UTF-7. */
export function maildirFolderName(path: string, delimiter: string | null): string {
  const levels = delimiter === null || delimiter === '' ? [path] : path.split(delimiter);
  const isInbox = /^inbox$/i.test(levels[0] ?? '');
  const named = (isInbox ? levels.slice(1) : levels).map((level) => `.${encodeLevel(level)}`).join('');
  return named.length <= nameCharsMax ? named : `${named.slice(0, nameCharsMax)}~${digest(named)}`;
}

/** A level without a name must not leave two dots side by side. */
const encodeLevel = (level: string): string =>
  level === '' ? '~' : level.replace(/[^A-Za-z0-9 _+=@()-]+/g, encodeRun);

/** RFC 9051 Appendix A, also for the dot and the slash, which would be levels of their own here. */
function encodeRun(run: string): string {
  const base64 = Buffer.from(run.toWellFormed(), 'utf16le').swap16().toString('base64');
  return `&${base64.replace(/=+$/, '').replaceAll('/', ',')}-`;
}

/** Keeps names apart that were cut at the same place. */
function digest(name: string): string {
  let hash = 5381;
  for (let at = 0; at < name.length; at += 1) hash = (Math.imul(hash, 33) ^ name.charCodeAt(at)) >>> 0;
  return hash.toString(16);
}
