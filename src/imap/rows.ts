/** imapflow's messages as our rows. Pure. Servers send rows that nobody asked for, rows twice, and rows without a UID. */
import type { FetchMessageObject } from 'imapflow';
import { hasUid, isUid, type UidSet } from '../base/uid-set.ts';
import type { FetchItems } from './fetch-items.ts';
import type { BodyRow, FlagRow, MetadataRow } from './session.ts';

/** The last message comes for `n:*` even when its UID is below n (RFC 3501 6.4.8). */
export function isAsked(uids: UidSet | { readonly first: number }, uid: unknown): uid is number {
  if (!isUid(uid)) return false;
  return 'first' in uids ? uid >= uids.first : hasUid(uids, uid);
}

/** Sorted, space-separated, without \Recent. */
export function flagText(flags: Iterable<string> | undefined): string {
  return [...new Set(flags ?? [])]
    .filter((flag) => flag.toLowerCase() !== '\\recent')
    .sort(byCodeUnit)
    .join(' ');
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What of a row our own reader and the library's both tell. */
export interface FlagItems {
  readonly uid: number;
  readonly flags?: Iterable<string> | undefined;
  readonly size?: number | undefined;
  readonly modseq?: bigint | undefined;
}

/** 63 bits (RFC 7162 7), which the store can hold, too. */
const modseqMax = 2n ** 63n - 1n;

/** 0, and what no MODSEQ can be, both mean that there is none. */
export const toModseqOrNull = (value: bigint | undefined): bigint | null =>
  typeof value === 'bigint' && value > 0n && value <= modseqMax ? value : null;

export const toFlagRow = (message: FlagItems): FlagRow => ({
  uid: message.uid,
  flags: flagText(message.flags),
  modseq: toModseqOrNull(message.modseq),
});

export function toMetadataRow(message: FetchMessageObject): MetadataRow {
  return {
    ...toFlagRow(message),
    internalDate: toInstantOrNull(message.internalDate),
    size: typeof message.size === 'number' && message.size >= 0 ? message.size : 0,
    emailId: message.emailId ?? null,
    messageIdHeader: messageIdOf(message.headers),
  };
}

/** As `fromFetchItems`, for what the library has read. */
export function toBodyRow(message: FetchMessageObject, raw = message.source): BodyRow | undefined {
  const { messageIdHeader: _, ...row } = toMetadataRow(message);
  if (!Buffer.isBuffer(raw) || message.flags === undefined || (raw.length === 0 && row.size > 0)) return undefined;
  return { ...row, raw };
}

/**
 * Undefined: not an answer to a FETCH of bodies, or not a whole one. An answer may come in pieces (RFC 9051 7.5.2): without
 * FLAGS it would be stored as unread. A body without bytes that has a size is one that the server could not read.
 */
export function fromFetchItems({ uid, source, flags, ...items }: FetchItems): BodyRow | undefined {
  if (uid === undefined || source === undefined || flags === undefined) return undefined;
  if (source.length === 0 && (items.size ?? 0) > 0) return undefined;
  return {
    uid,
    flags: flagText(flags),
    modseq: toModseqOrNull(items.modseq),
    internalDate: toInstantOrNull(items.internalDate),
    size: items.size ?? 0,
    emailId: items.emailId ?? null,
    raw: source,
  };
}

function messageIdOf(header: Buffer | undefined): string | null {
  const value = header && /^message-id:\s*([\s\S]*?)(?:\r?\n(?![ \t])|$)/im.exec(header.toString('latin1'))?.[1];
  if (!value) return null;
  return /<[^<>]+>/.exec(value)?.[0].replace(/\s+/g, '') ?? value.trim();
}

/** Years 1 to 9999, or none. */
export function toInstantOrNull(value: Date | string | undefined): string | null {
  const date = typeof value === 'string' ? new Date(value) : value;
  if (!date || Number.isNaN(date.getTime())) return null;
  const year = date.getUTCFullYear();
  return year < 1 || year > 9999 ? null : date.toISOString();
}
