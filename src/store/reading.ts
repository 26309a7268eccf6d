/**
 * What reading (the second stage) asks of a store. A content is claimed before it is read, and the claim is committed: a mail that
 * takes its reader down is counted, read alone the next time, and given up after the second time. Everything that a reading found
 * is one transaction with the end of its claim.
 */
import type { Instant } from '../base/clock.ts';
import type { Address, HeaderFields } from './header-fields.ts';

export interface UnreadContent {
  readonly contentId: number;
  /** Of the raw message. */
  readonly bytes: number;
  readonly subject: string | null;
  readonly from: readonly Address[];
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
}

export interface ReadClaim {
  /** Failed contents of an older one are taken up again. */
  readonly readerVersion: number;
  readonly countMax: number;
  /** Of raw messages; one that is larger is claimed alone. */
  readonly bytesMax: number;
  /** A claim of this engine that is older was abandoned: its thread is gone. Those of other engines are at once. */
  readonly leaseMs: number;
  readonly at: Instant;
}

export interface AttachmentRow {
  /** Section number (RFC 9051 6.4.5). */
  readonly part: string;
  readonly filename: string | null;
  readonly contentType: string;
  readonly size: number;
  readonly disposition: string | null;
  readonly cid: string | null;
}

/** The text of the search index beside the body. */
export interface SearchText {
  readonly subject: string;
  readonly sender: string;
  readonly recipients: string;
  readonly filenames: string;
  readonly words: string;
}

export type Reading =
  | {
      readonly contentId: number;
      readonly text: string | null;
      readonly html: string | null;
      readonly preview: string | null;
      readonly hasAttachments: boolean;
      readonly attachments: readonly AttachmentRow[];
      readonly search: SearchText;
      /** Which limits were met; null: all of it was read. */
      readonly note: string | null;
    }
  | { readonly contentId: number; readonly failure: string };

export interface ReadRecord {
  readonly readings: readonly Reading[];
  readonly readerVersion: number;
  readonly at: Instant;
}

export interface ReadCounts {
  readonly readCount: number;
  readonly failedCount: number;
}

/** A content that could not be read, with one message that has it. */
export interface UnreadableFilter {
  readonly acntid?: number;
  readonly emfdid?: number;
  readonly limit: number;
}

export interface UnreadableMessage {
  readonly id: number;
  readonly acntid: number;
  readonly emfdid: number;
  readonly contentId: number;
  readonly subject: string | null;
  readonly readerVersion: number | null;
  readonly reason: string | null;
}

export type ParseState = 'pending' | 'parsed' | 'failed';

/** All that is known of one message; for people and exports. */
export interface MessageContent extends HeaderFields {
  readonly id: number;
  readonly acntid: number;
  readonly emfdid: number;
  readonly path: string | null;
  readonly uid: number;
  readonly flags: string;
  readonly internalDate: Instant | null;
  readonly size: number;
  readonly conversationId: number | null;
  readonly vanishedAt: Instant | null;
  readonly sha256: string;
  readonly parseState: ParseState;
  readonly parseNote: string | null;
  readonly hasAttachments: boolean | null;
  readonly text: string | null;
  readonly html: string | null;
  readonly attachments: readonly AttachmentRow[];
}

/** A live message on its way into an mbox or Maildir. */
export interface ExportRow {
  readonly id: number;
  readonly emfdid: number;
  readonly path: string;
  readonly delimiter: string | null;
  readonly flags: string;
  readonly internalDate: Instant | null;
  readonly from: readonly Address[];
}

export interface ExportFilter {
  readonly acntid: number;
  readonly emfdid?: number;
  readonly afterId: number;
  readonly limit: number;
}

export interface ReadingReads {
  /** Is there anything to read, or to put into conversations? A look at two indexes. */
  hasUnread(readerVersion: number): Promise<boolean>;
  /** Contents still to be read; counted over an index. */
  unreadCount(): Promise<number>;
  contentRaw(contentId: number): Promise<Uint8Array | undefined>;
  unreadable(filter: UnreadableFilter): Promise<UnreadableMessage[]>;
  messageContent(id: number): Promise<MessageContent | undefined>;
  /** Live messages by id. */
  exportRows(filter: ExportFilter): Promise<ExportRow[]>;
  exportCount(filter: Pick<ExportFilter, 'acntid' | 'emfdid'>): Promise<number>;
}

export interface ReadingWrites {
  /** Newest first; an abandoned one comes first and alone. Empty: nothing to do now. */
  claimUnread(claim: ReadClaim): Promise<UnreadContent[]>;
  /** Claimed, but not begun: the try does not count. */
  releaseUnread(contentIds: readonly number[]): Promise<void>;
  /** Contents that are gone, or were read by another meanwhile, are passed over. */
  recordRead(record: ReadRecord): Promise<ReadCounts>;
}
