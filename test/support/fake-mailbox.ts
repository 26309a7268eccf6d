/** What the fake IMAP server holds, and its honest answers. The scripts of a scenario then spoil them. */
import { createHash } from 'node:crypto';
import type { ListedFolder } from './imap-client.ts';

export interface FakeMessage {
  uid: number;
  raw: Buffer;
  flags: string[];
  modseq: number;
  date: string;
  /** X-GM-MSGID-like; only told when the server has OBJECTID. */
  emailId?: string;
}

export interface FakeFolder {
  /** As it goes over the wire: modified UTF-7, or whatever a hostile server sends. */
  path: string;
  attributes: string[];
  delimiter: string | null;
  uidValidity: number;
  uidNext: number;
  messages: FakeMessage[];
}

export interface Command {
  readonly tag: string;
  /** `LOGIN`, `UID FETCH` … in capitals. */
  readonly verb: string;
  readonly args: string;
  /** Counts connections from 1. */
  readonly connection: number;
  readonly folder: FakeFolder | null;
}

export type Part = string | Buffer;

export const folder = (path: string, count = 0, more: Partial<FakeFolder> = {}): FakeFolder => ({
  path,
  attributes: [],
  delimiter: '/',
  uidValidity: 1000,
  uidNext: count + 1,
  messages: Array.from({ length: count }, (_, index) => message(index + 1, path)),
  ...more,
});

export function message(uid: number, about = 'INBOX', more: Partial<FakeMessage> = {}): FakeMessage {
  const lines = [
    'From: Anna Nowak <anna@example.com>',
    'To: jan@example.com',
    `Subject: message ${uid} of ${about.replace(/[^\x20-\x7e]/g, '?')}`,
    `Message-ID: <${uid}.${Buffer.from(about).toString('hex')}@example.com>`,
    'Date: Mon, 23 Nov 2026 10:00:00 +0000',
    '',
    `Body of message ${uid}.`,
    '',
  ];
  const raw = Buffer.from(lines.join('\r\n'));
  return { uid, raw, flags: [], modseq: uid, date: '23-Nov-2026 10:00:00 +0000', ...more };
}

export const newestModseq = ({ messages }: FakeFolder): number => Math.max(1, ...messages.map((entry) => entry.modseq));

export const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

/** A name that no quoted string can hold goes as a literal. */
export const nameParts = (path: string): Part[] =>
  /[\r\n\0]|[^\x01-\x7e]/.test(path)
    ? [`{${Buffer.byteLength(path, 'latin1')}}\r\n`, Buffer.from(path, 'latin1')]
    : [quoted(path)];

export function listParts(entry: FakeFolder): Part[] {
  const delimiter = entry.delimiter === null ? 'NIL' : quoted(entry.delimiter);
  return [`* LIST (${entry.attributes.join(' ')}) ${delimiter} `, ...nameParts(entry.path), '\r\n'];
}

export function statusParts(entry: FakeFolder, hasCondstore: boolean): Part[] {
  const unseen = entry.messages.filter(({ flags }) => !flags.includes('\\Seen')).length;
  const modseq = hasCondstore ? ` HIGHESTMODSEQ ${newestModseq(entry)}` : '';
  const numbers = `MESSAGES ${entry.messages.length} UIDNEXT ${entry.uidNext} UIDVALIDITY ${entry.uidValidity} UNSEEN ${unseen}${modseq}`;
  return ['* STATUS ', ...nameParts(entry.path), ` (${numbers})\r\n`];
}

export function selectParts(entry: FakeFolder, hasCondstore: boolean): Part[] {
  return [
    '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n',
    `* ${entry.messages.length} EXISTS\r\n`,
    '* 0 RECENT\r\n',
    `* OK [UIDVALIDITY ${entry.uidValidity}] valid\r\n`,
    `* OK [UIDNEXT ${entry.uidNext}] next\r\n`,
    ...(hasCondstore ? [`* OK [HIGHESTMODSEQ ${newestModseq(entry)}] newest\r\n`] : []),
  ];
}

export function asked(entry: FakeFolder, set: string): FakeMessage[] {
  const last = Math.max(0, ...entry.messages.map(({ uid }) => uid));
  const ranges = set.split(',').map((range) => range.split(':').map((end) => (end === '*' ? last : Number(end))));
  const isIn = (uid: number): boolean =>
    ranges.some(([a = 0, b = a]) => uid >= Math.min(a, b) && uid <= Math.max(a, b));
  return entry.messages.filter(({ uid }) => isIn(uid));
}

/** `HEADER Message-ID "<1@x>"`: whether the field holds the text. */
function hasHeader({ raw }: FakeMessage, args: string): boolean {
  const match = /\bHEADER "?([\w-]+)"? (?:"((?:[^"\\]|\\.)*)"|\u0001([^\u0001]*)\u0001|(\S+))/i.exec(args);
  if (!match) return true;
  const [, name = '', ...values] = match;
  const value = values.find((text) => text !== undefined) ?? '';
  const head = raw.toString('latin1', 0, raw.indexOf('\r\n\r\n') + 2);
  const field = new RegExp(`^${name}:(.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(head)?.[1];
  return field?.toLowerCase().includes(value.toLowerCase()) === true;
}

/** `APPEND "Sent" (\Seen) "date" literal`: what becomes of the folder. */
export function appendTo(entry: FakeFolder, args: string): FakeMessage {
  const raw = Buffer.from(/\u0001([\s\S]*)\u0001/.exec(args)?.[1] ?? '', 'latin1');
  const flags = /\(([^)]*)\)/.exec(args.slice(0, args.indexOf('\u0001')))?.[1]?.split(' ') ?? [];
  return addMessage(entry, raw, flags);
}

export function addMessage(entry: FakeFolder, raw: Buffer, flags: string[] = []): FakeMessage {
  const modseq = newestModseq(entry) + 1;
  const date = `${new Date().toUTCString().slice(5, 16).replaceAll(' ', '-')} 10:00:00 +0000`;
  const added: FakeMessage = { uid: entry.uidNext, raw, flags, modseq, date };
  entry.uidNext += 1;
  entry.messages.push(added);
  return added;
}

/** `UID STORE 1 +FLAGS.SILENT (\Answered)`: additions only. */
export function addFlags(entry: FakeFolder, args: string): void {
  const flags = /\(([^)]*)\)/.exec(args)?.[1]?.split(' ') ?? [];
  for (const row of asked(entry, args.split(' ')[0] ?? '')) {
    row.flags = [...new Set([...row.flags, ...flags])];
    row.modseq = newestModseq(entry) + 1;
  }
}

/** `UID SEARCH UID 1:* LARGER 100`, `ALL`, `HEADER …`. */
export function searchLine(entry: FakeFolder, args: string): string {
  const set = /\bUID ([\d:*,]+)/.exec(args)?.[1] ?? '1:*';
  const larger = Number(/\bLARGER (\d+)/.exec(args)?.[1] ?? -1);
  const since = Date.parse(/\bSINCE (\S+)/.exec(args)?.[1] ?? '1-Jan-1970');
  const isFound = (row: FakeMessage): boolean =>
    row.raw.length > larger && hasHeader(row, args) && Date.parse(row.date) >= since;
  const uids = asked(entry, set).filter(isFound);
  return `* SEARCH ${uids.map(({ uid }) => uid).join(' ')}`.trimEnd().concat('\r\n');
}

export function fetchRows(entry: FakeFolder, args: string, hasCondstore: boolean): Part[][] {
  const since = Number(/CHANGEDSINCE (\d+)/.exec(args)?.[1] ?? 0);
  return asked(entry, args.split(' ')[0] ?? '')
    .filter(({ modseq }) => modseq > since)
    .map((row) => fetchRow(entry, row, args, hasCondstore));
}

export function fetchRow(entry: FakeFolder, row: FakeMessage, args: string, hasCondstore: boolean): Part[] {
  const items = [`UID ${row.uid}`, `FLAGS (${row.flags.join(' ')})`];
  if (hasCondstore) items.push(`MODSEQ (${row.modseq})`);
  if (args.includes('INTERNALDATE')) items.push(`INTERNALDATE "${row.date}"`);
  if (args.includes('RFC822.SIZE')) items.push(`RFC822.SIZE ${row.raw.length}`);
  if (args.includes('EMAILID') && row.emailId !== undefined) items.push(`EMAILID (${row.emailId})`);
  const start = `* ${entry.messages.indexOf(row) + 1} FETCH (${items.join(' ')}`;
  const body = bodyOf(row, args);
  return body ? [`${start} ${body.name} {${body.bytes.length}}\r\n`, body.bytes, ')\r\n'] : [`${start})\r\n`];
}

function bodyOf({ raw }: FakeMessage, args: string): { name: string; bytes: Buffer } | null {
  const part = /BODY\.PEEK\[\]<(\d+)\.(\d+)>/.exec(args);
  if (part) {
    const start = Number(part[1]);
    return { name: `BODY[]<${start}>`, bytes: raw.subarray(start, start + Number(part[2])) };
  }
  if (args.includes('BODY.PEEK[]')) return { name: 'BODY[]', bytes: raw };
  const header = raw.subarray(0, raw.indexOf('\r\n\r\n') + 4);
  if (args.includes('BODY.PEEK[HEADER]')) return { name: 'BODY[HEADER]', bytes: header };
  const fields = /BODY\.PEEK\[(HEADER\.FIELDS \([^)]*\))\]/i.exec(args)?.[1];
  if (fields === undefined) return null;
  const line = /^message-id:.*$/im.exec(header.toString('latin1'))?.[0] ?? '';
  return { name: `BODY[${fields}]`, bytes: Buffer.from(`${line}\r\n\r\n`, 'latin1') };
}

/** The ledger for the oracle. */
export const ledger = (folders: readonly FakeFolder[]): ListedFolder[] =>
  folders
    .filter(({ attributes }) => !attributes.includes('\\Noselect'))
    .map(({ path, uidValidity, messages }) => ({
      path,
      uidValidity,
      messages: messages.map(({ uid, raw, flags, date }) => ({
        uid,
        flags: [...flags].sort((a, b) => (a < b ? -1 : 1)).join(' '),
        sha256: createHash('sha256').update(raw).digest('hex'),
        size: raw.length,
        internalDate: new Date(date.replaceAll('-', ' ')).toISOString(),
      })),
    }));
