/** What search asks of a store. Words are typed by people: nothing they type is an error. */
import type { Instant } from '../base/clock.ts';
import type { Address } from './header-fields.ts';

export interface SearchQuery {
  /** All must occur, in any field. `"a phrase"`, `begin*`, `-without`. */
  readonly words: string;
  readonly acntid?: number;
  /** Folder path, exactly; INBOX in any case. */
  readonly path?: string;
  /** Received at or after. */
  readonly since?: Instant;
  /** Words of the sender's name or address. */
  readonly from?: string;
  readonly limit: number;
}

/** One message of an account; of several copies the one with the lowest id. */
export interface SearchHit {
  readonly id: number;
  readonly acntid: number;
  readonly emfdid: number;
  readonly path: string | null;
  readonly conversationId: number | null;
  readonly internalDate: Instant | null;
  readonly subject: string | null;
  readonly from: readonly Address[];
  /** Words around the best match, the match between « and ». */
  readonly snippet: string;
}

export interface SearchReads {
  /** Newest first. Empty too when `words` holds no word. */
  search(query: SearchQuery): Promise<SearchHit[]>;
}

export interface SearchWrites {
  /** Makes the index anew from what was read: minutes for a million mails, one transaction. */
  rebuildSearch(): Promise<void>;
}
