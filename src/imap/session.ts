/**
 * One logged-in IMAP connection, in the engine's words. imapflow stands behind it (imap/open-session.ts); what servers and
 * the library do wrong ends here: every tagged NO, falsy result and broken promise becomes an EngineError, every command
 * has a wall-clock deadline that closes the socket, rows that were not asked for are dropped. One command at a time; never
 * call a verb from inside a row callback.
 */

import type { Instant } from '../base/clock.ts';
import type { Credentials } from '../base/credentials.ts';
import type { UidSet } from '../base/uid-set.ts';
import type { AnswerRoom } from './answer-room.ts';
import type { Link } from './link.ts';

export interface Capabilities {
  readonly hasCondstore: boolean;
  readonly hasQresync: boolean;
  /** RFC 8474: EMAILID and MAILBOXID. */
  readonly hasObjectId: boolean;
  /** X-GM-EXT-1: X-GM-MSGID serves as EMAILID. */
  readonly isGmail: boolean;
  readonly hasUidplus: boolean;
  readonly hasIdle: boolean;
  /** As the server names them, sorted, for people. */
  readonly names: readonly string[];
}

export interface FolderStatus {
  readonly messages: number;
  readonly uidNext: number | null;
  readonly uidValidity: number | null;
  readonly highestModseq: bigint | null;
  readonly unseen: number | null;
}

export interface ObservedFolder {
  /** Decoded to Unicode; INBOX in capitals; unique in a listing. */
  readonly path: string;
  readonly delimiter: string | null;
  /** See store Folder.role. */
  readonly role: string | null;
  readonly isSelectable: boolean;
  readonly mailboxId: string | null;
  /** Null: not selectable, or the server refused (then the folder must be opened to know). */
  readonly status: FolderStatus | null;
}

export interface FolderListing {
  readonly folders: readonly ObservedFolder[];
  /** False when the answer may have been cut short: then nothing may be concluded from an absence. */
  readonly isComplete: boolean;
}

export interface OpenedFolder {
  readonly uidValidity: number;
  readonly uidNext: number | null;
  readonly messages: number;
  /** Null: no CONDSTORE here (NOMODSEQ, 0 or absent). */
  readonly highestModseq: bigint | null;
  readonly mailboxId: string | null;
  /** What QRESYNC told while opening; null when it was not asked for or the server did not take it. */
  readonly changes: { readonly vanished: UidSet; readonly flags: readonly FlagRow[] } | null;
}

export interface OpeningOptions {
  /** Ask for the changes since then by QRESYNC. */
  readonly since?: { readonly uidValidity: number; readonly modseq: bigint } | undefined;
  /** `listUids` from this UID on comes next: few are expected, which may be listed in the round trip of the opening. */
  readonly listFrom?: number | undefined;
}

export interface FlagRow {
  readonly uid: number;
  /** Sorted, space-separated, without \Recent; system flags in their usual capitals. */
  readonly flags: string;
  readonly modseq: bigint | null;
}

export interface MetadataRow extends FlagRow {
  readonly internalDate: Instant | null;
  readonly size: number;
  readonly emailId: string | null;
  /** Only when asked for. */
  readonly messageIdHeader: string | null;
}

export interface BodyRow extends FlagRow {
  readonly internalDate: Instant | null;
  readonly size: number;
  readonly emailId: string | null;
  readonly raw: Buffer;
}

export interface ImapSession {
  readonly capabilities: Capabilities;
  /** Round trip of this connection in ms, as measured while logging in. */
  readonly roundTripMs: number;
  /** False once the connection is broken or closed. */
  readonly isUsable: boolean;
  /** What the login was made with: `PLAIN`, `LOGIN`, `XOAUTH2` or `OAUTHBEARER`. */
  readonly mechanism: string;
  /** The login asked for the listing, too (`listsFirst`). Should the connection break at that, the next one asks for one at a time. */
  readonly hasAskedAhead: boolean;
  /**
   * One LIST-STATUS, or LIST and a STATUS each; `withStatus` false: names only. An open folder is left first (UNSELECT): STATUS is
   * not for the open one (RFC 9051 6.3.11).
   */
  listFolders(options: { readonly withStatus: boolean }): Promise<FolderListing>;
  /** Read-only (EXAMINE). Throws folder_missing, uidvalidity_missing. */
  openFolder(path: string, options?: OpeningOptions): Promise<OpenedFolder>;
  /** Answers since the open folder was asked for that could not be read: what they said may look like an absence. */
  readonly unreadCount: number;
  /** Messages in the open folder as the server last announced (untagged EXISTS). */
  readonly exists: number;
  /** UIDs that exist within `range` (first: that UID and all above). Never more than what was asked. */
  listUids(range: UidSet | { readonly first: number }): Promise<UidSet>;
  /** The same by SEARCH, as a second opinion on what FETCH said; by FETCH only where SEARCH is refused. */
  searchUids(range: UidSet | { readonly first: number }): Promise<UidSet>;
  /** Of `uids`, those that the server says are larger than `bytes` (SEARCH LARGER; by RFC822.SIZE where refused). */
  listLarger(uids: UidSet, bytes: number): Promise<UidSet>;
  /** Flags of all, or of those changed since. Rows by UID, each UID once, the last answer wins. */
  fetchFlags(uids: UidSet | { readonly first: number }, changedSince?: bigint): Promise<FlagRow[]>;
  fetchMetadata(uids: UidSet, options: { readonly withMessageId: boolean }): Promise<MetadataRow[]>;
  /**
   * Bodies by BODY.PEEK[], each asked UID at most once, in any order. `onRow` is awaited before the next row is read, so that
   * memory stays bounded; it must not use the session. UIDs that did not come are for the caller to notice.
   */
  fetchBodies(uids: UidSet, onRow: (row: BodyRow) => Promise<void> | void): Promise<void>;
  /** One large body in parts of a few MiB. Undefined: the message is gone. Throws message_too_large above `bytesMax`. */
  fetchLargeBody(uid: number, bytesMax: number): Promise<BodyRow | undefined>;
  /** Headers of one message (at most 256 KiB). */
  fetchHeader(uid: number): Promise<Buffer | undefined>;
  /**
   * Waits in IDLE (RFC 2177) on INBOX, opened read-only, until something else is asked of the session, or it breaks; calls
   * `onStir` whenever the server tells of a change there, and at once if there was one since the session last listed or opened it.
   * Resolves when it ended, at once where the server has no IDLE.
   */
  watchInbox(onStir: () => void): Promise<void>;
  /** LOGOUT, bounded; never throws. */
  close(): Promise<void>;
  /** Cuts the connection at once. */
  abort(): void;
}

export interface SessionOptions {
  readonly host: string;
  readonly port: number;
  readonly security: 'tls' | 'starttls' | 'none';
  readonly credentials: Credentials;
  /** Shared by all connections to one host. */
  readonly link: Link;
  /** Shared by the connections of one account: odd folder names as the server spelt them (imap/library-name.ts). */
  readonly wireNames: Map<string, string>;
  /** Largest literal accepted: the bodies fetched in bulk. */
  readonly literalBytesMax: number;
  /** `listFolders` with status comes first: over a long link the login asks for it in its last round trip. */
  readonly listsFirst?: boolean;
  /** Shared by the connections of a thread; null: this connection is alone. */
  readonly room: AnswerRoom | null;
  readonly commandTimeoutMs: number;
  /** Bytes of one FETCH answer are allowed this long per MiB on top of commandTimeoutMs. */
  readonly transferTimeoutMsPerMib: number;
  readonly signal: AbortSignal;
  /** Warnings of the library and the server, already free of secrets. */
  readonly onWarning: (text: string) => void;
}
