/**
 * What the engine asks of a store: verbs, not tables. SQLite (and later PostgreSQL) stand behind it; one contract suite
 * tests every implementation. Every write verb is one transaction: after a crash all of it is there, or nothing. Every
 * write checks the fencing epoch and throws `fenced` when a newer engine has started. Instants are UTC text.
 */
import type { Instant } from '../base/clock.ts';
import type { UidSet } from '../base/uid-set.ts';
import type { ConversationWrites } from './conversations.ts';
import type { Address, HeaderFields } from './header-fields.ts';
import type { LoginChanges, LoginReads, LoginWrites } from './logins.ts';
import type { OutboxReads, OutboxWrites } from './outbox.ts';
import type { ReadingReads, ReadingWrites } from './reading.ts';
import type { ScheduleReads, ScheduleWrites } from './schedule.ts';
import type { SearchReads, SearchWrites } from './search.ts';
import type { UpkeepReads, UpkeepWrites } from './upkeep.ts';

export type { Address, HeaderFields };

export type Security = 'tls' | 'starttls' | 'none';
export type AccountState = 'ok' | 'auth_error' | 'backoff';
export type Priority = 'high' | 'low' | 'off';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly security: Security;
  readonly user: string;
}

export interface NewAccount {
  /** A number that the application already uses; the next free one when absent. */
  readonly acntid?: number;
  readonly email: string;
  readonly userId: string | null;
  readonly name: string | null;
  readonly imap: ServerAddress;
  readonly smtp: ServerAddress | null;
  readonly allowPlaintext: boolean;
  readonly password: string | null;
  /** True when absent. */
  readonly enabled?: boolean;
  readonly login?: LoginChanges;
  /** Further users who read it (email_account_users). */
  readonly readers?: readonly string[];
}

export interface Account {
  readonly acntid: number;
  readonly email: string;
  readonly userId: string | null;
  readonly name: string | null;
  readonly imap: ServerAddress;
  readonly smtp: ServerAddress | null;
  readonly allowPlaintext: boolean;
  readonly enabled: boolean;
  readonly state: AccountState;
  readonly lastError: string | null;
  readonly retryAt: Instant | null;
  readonly checkedAt: Instant | null;
  /** Failures in a row; the backoff follows from it. */
  readonly failureCount: number;
  /** 0…3 answers of VANISHED that equalled a full listing; -1: once wrong, never believed again. */
  readonly vanishedTrust: number;
}

export type AccountChanges = Partial<Omit<NewAccount, 'acntid'>>;

export interface AccountHealth {
  readonly state: AccountState;
  readonly lastError: string | null;
  readonly retryAt: Instant | null;
  readonly checkedAt: Instant;
  readonly failureCount: number;
}

/** What an account takes with it when it is removed. */
export interface AccountSize {
  readonly folders: number;
  readonly messages: number;
  readonly outboxEntries: number;
}

export interface Folder {
  readonly emfdid: number;
  readonly acntid: number;
  readonly path: string;
  readonly delimiter: string | null;
  /** SPECIAL-USE without backslash, lower case (`inbox`, `all`, `sent`, `trash`, `junk`, `drafts`, `archive`, `flagged`), or null. */
  readonly role: string | null;
  readonly priority: Priority;
  readonly isSelectable: boolean;
  /** OBJECTID MAILBOXID (RFC 8474), where the server has one. */
  readonly mailboxId: string | null;
  readonly uidValidity: number | null;
  readonly uidNext: number | null;
  readonly highestModseq: bigint | null;
  readonly messageCount: number | null;
  readonly unseenCount: number | null;
  readonly heldCount: number;
  /** Digest of the listing that held deletions back, and when it was first seen. */
  readonly heldDigest: string | null;
  readonly heldSince: Instant | null;
  /** Every UID up to this one was listed… */
  readonly listedUid: number;
  /** …and these of them need nothing more. 1:listedUid minus checkpoint is what is pending. */
  readonly checkpoint: UidSet;
  readonly recentSyncedAt: Instant | null;
  readonly fullSyncedAt: Instant | null;
  readonly firstSyncedAt: Instant | null;
  readonly lastError: string | null;
  readonly retryAt: Instant | null;
  readonly failureCount: number;
  readonly missingCount: number;
  readonly retiredAt: Instant | null;
  /** UIDVALIDITY changes in a row without a finished pass between them. */
  readonly resetCount: number;
}

/** What one complete LIST asks of the folder table; made by sync/folder-plan.ts. */
export interface FolderPlan {
  readonly create: readonly ListedFolder[];
  /** Same folder, maybe under a new path or with new attributes; also brings a retired one back. */
  readonly update: readonly (ListedFolder & { readonly emfdid: number })[];
  /** Not in this listing; `retire`: missing for the second time, its messages become tombstones. */
  readonly missing: readonly { readonly emfdid: number; readonly retire: boolean }[];
}

export interface ListedFolder {
  readonly path: string;
  readonly delimiter: string | null;
  readonly role: string | null;
  readonly priority: Priority;
  readonly isSelectable: boolean;
  readonly mailboxId: string | null;
}

export interface StoredMessage {
  readonly id: number;
  readonly uidValidity: number;
  readonly uid: number;
  /** Sorted, space-separated, without \Recent. */
  readonly flags: string;
  readonly isVanished: boolean;
  readonly isHeld: boolean;
}

/** For finding a message again after a changed UIDVALIDITY. */
export interface StoredIdentity {
  readonly id: number;
  readonly uid: number;
  readonly emailId: string | null;
  readonly messageIdHeader: string | null;
  readonly size: number;
  readonly internalDate: Instant | null;
}

export interface Placement {
  readonly uid: number;
  readonly flags: string;
  readonly internalDate: Instant | null;
  /** As the server said. */
  readonly size: number;
  readonly modseq: bigint | null;
  readonly emailId: string | null;
}

export interface IncomingMessage extends Placement {
  /** 64 hex digits of `raw`. */
  readonly sha256: string;
  readonly raw: Uint8Array;
  readonly headers: HeaderFields;
}

export interface QuarantinedMessage {
  readonly uid: number;
  readonly raw: Uint8Array | null;
  readonly error: string;
  /** Next try by itself; null: only by `message retry`. */
  readonly retryAt: Instant | null;
}

export interface FolderAt {
  readonly emfdid: number;
  /** The write throws `protocol_violation` when the folder has another one by now. */
  readonly uidValidity: number;
}

/** One transaction's worth of a window. `settled` UIDs join the checkpoint: all that follow, and those found gone. */
export interface WindowBatch extends FolderAt {
  readonly messages: readonly IncomingMessage[];
  /** Bodies we have already (same EMAILID in this account): only a placement is written. */
  readonly placements: readonly (Placement & { readonly contentId: number })[];
  readonly quarantined: readonly QuarantinedMessage[];
  readonly settled: UidSet;
  /** `2026-11-23`: the bytes of `messages` count for this local day; null: they do not count. */
  readonly day: string | null;
  /** First sync: one email_changes row for the batch instead of one per message. */
  readonly isFirstSync: boolean;
  readonly at: Instant;
}

export interface BatchResult {
  /** New live rows, revived and adopted ones included. */
  readonly storedCount: number;
  /** UIDs that could not be stored and went to quarantine instead. */
  readonly quarantinedUids: readonly number[];
}

export interface FlagChange {
  readonly uid: number;
  readonly flags: string;
  readonly modseq: bigint | null;
}

/** What a listing found out, before anything is fetched. One transaction. */
export interface ListingRecord extends FolderAt {
  /** Highest UID that the listing covered. */
  readonly listedUid: number;
  /** Of 1:listedUid, what must be fetched; the checkpoint becomes the rest. */
  readonly pending: UidSet;
  readonly flagChanges: readonly FlagChange[];
  readonly reviveIds: readonly number[];
  readonly vanishedIds: readonly number[];
  /** Live rows the server no longer lists, kept live by the deletion brake. Replaces the earlier set; `null`: leave as is. */
  readonly held: { readonly ids: readonly number[]; readonly digest: string; readonly since: Instant } | null;
  /** Quarantine rows of UIDs that the server no longer has. */
  readonly forgottenQuarantine: UidSet;
  /** As the server said on opening. Kept at the first visit alone: whatever is stored later has flags at least as new. */
  readonly highestModseq: bigint | null;
  readonly at: Instant;
}

/** A changed UIDVALIDITY, applied at once: matched rows move to the new generation, the others stay live as orphans. */
export interface ResetRecord {
  readonly emfdid: number;
  readonly uidValidity: number;
  readonly matches: readonly ({ readonly id: number } & Placement)[];
  readonly listedUid: number;
  readonly pending: UidSet;
  readonly at: Instant;
}

export interface PassEnd extends FolderAt {
  readonly kind: 'recent' | 'full';
  readonly uidNext: number | null;
  readonly highestModseq: bigint | null;
  readonly messageCount: number;
  readonly unseenCount: number | null;
  readonly at: Instant;
}

export interface LedgerRow {
  readonly emfdid: number;
  readonly path: string;
  /** What the server counted at the end of the last pass; null: never finished. */
  readonly serverCount: number | null;
  readonly storedCount: number;
  readonly heldCount: number;
  readonly quarantinedCount: number;
  readonly excludedCount: number;
  readonly pendingCount: number;
}

export interface KnownContent {
  readonly contentId: number;
  /** As the server announced it. */
  readonly size: number;
}

export interface QuarantineRow {
  readonly uid: number;
  readonly uidValidity: number;
  readonly error: string;
  readonly tries: number;
  readonly retryAt: Instant | null;
}

export interface LiveCounts {
  readonly live: number;
  /** Of the live ones, what the deletion brake holds. */
  readonly held: number;
  /** Live, not held, and of another UIDVALIDITY than the folder's. */
  readonly former: number;
  readonly unseen: number;
}

/** A live message as verify compares it. */
export interface StoredDigest {
  readonly uid: number;
  readonly flags: string;
  readonly sha256: string;
  readonly isHeld: boolean;
}

export interface MessageSummary {
  readonly id: number;
  readonly acntid: number;
  readonly emfdid: number;
  readonly uid: number;
  readonly flags: string;
  readonly internalDate: Instant | null;
  readonly size: number;
  readonly subject: string | null;
  readonly from: readonly Address[];
}

export interface StoreReads extends ScheduleReads, LoginReads, ReadingReads, SearchReads, UpkeepReads, OutboxReads {
  accounts(): Promise<Account[]>;
  account(acntid: number): Promise<Account | undefined>;
  /** Decrypted. Undefined: none set. Throws `secret_unreadable`. */
  password(acntid: number): Promise<string | undefined>;
  accountSize(acntid: number): Promise<AccountSize>;
  /** Bytes of bodies that were stored for it on this local day, as far as they were counted (WindowBatch.day). */
  trafficOn(acntid: number, day: string): Promise<number>;
  /** How many enabled accounts are in which state. */
  accountStates(): Promise<Record<AccountState, number>>;
  /** Enabled accounts that are not well, those that failed last first. */
  troubledAccounts(limit: number): Promise<{ acntid: number; error: string; retryAt: Instant | null }[]>;
  /** Ordered by path; retired ones left out unless asked for. */
  folders(acntid: number, options?: { readonly withRetired?: boolean }): Promise<Folder[]>;
  folder(emfdid: number): Promise<Folder | undefined>;
  /** Has any account a folder of this path, or had it? Reads all folders: for a command that found nothing. */
  hasFolderAt(path: string): Promise<boolean>;
  /** All rows of the folder that are live, and tombstones of its present UIDVALIDITY; ordered by UID. */
  storedMessages(emfdid: number): Promise<StoredMessage[]>;
  /** Live rows of the folder's present UIDVALIDITY, for matching them to a new one; ordered by UID. */
  storedIdentities(emfdid: number): Promise<StoredIdentity[]>;
  /** Of these rows of the folder, tombstones too. */
  identitiesOf(emfdid: number, ids: readonly number[]): Promise<StoredIdentity[]>;
  storedDigests(emfdid: number): Promise<StoredDigest[]>;
  /** Live rows, without reading them. */
  liveCounts(emfdid: number): Promise<LiveCounts>;
  quarantine(emfdid: number): Promise<QuarantineRow[]>;
  /** Contents of this account by EMAILID / X-GM-MSGID. */
  contentsByEmailId(acntid: number, emailIds: readonly string[]): Promise<Map<string, KnownContent>>;
  /** Which of these UIDs' contents (by live row id) also live elsewhere in the account: they moved, they are not lost. */
  idsFoundElsewhere(emfdid: number, ids: readonly number[]): Promise<number[]>;
  ledger(acntid: number): Promise<LedgerRow[]>;
  messages(filter: { acntid?: number; emfdid?: number; limit: number; beforeId?: number }): Promise<MessageSummary[]>;
  raw(messageId: number): Promise<Uint8Array | undefined>;
  /** user_id → last_seen_at */
  /** Another number whenever somebody else has committed since the last call; costs microseconds. */
  version(): Promise<number>;
  presence(): Promise<Map<string, Instant>>;
}

export interface StoreWrites
  extends ScheduleWrites,
    LoginWrites,
    ReadingWrites,
    ConversationWrites,
    SearchWrites,
    UpkeepWrites,
    OutboxWrites {
  /** Raises the fencing epoch and makes it this store's own: every older engine's next write throws `fenced`. */
  raiseEpoch(): Promise<number>;
  /** Encrypts email_accounts.new_password and blanks it; returns the accounts whose password changed, freed of auth_error. */
  takeNewPasswords(): Promise<number[]>;
  /** Throws `account_exists`. */
  addAccount(account: NewAccount): Promise<number>;
  /** Throws `account_unknown`. A new password, login or server frees the account of auth_error and backoff. */
  updateAccount(acntid: number, changes: AccountChanges): Promise<void>;
  /**
   * Begins it: the account is disabled, its folders and quarantine go. Its messages, its outbox, contents that no other account
   * holds and the account itself go by `clearRemoved` (UpkeepWrites). Again after a crash: the same. Returns what there was.
   */
  removeAccount(acntid: number): Promise<AccountSize>;
  recordHealth(acntid: number, health: AccountHealth): Promise<void>;
  recordVanishedTrust(acntid: number, trust: number): Promise<void>;
  /** Retiring writes tombstones. Returns the account's folders as they are now, retired ones left out. */
  applyFolderPlan(acntid: number, plan: FolderPlan, at: Instant): Promise<Folder[]>;
  setFolderPriority(emfdid: number, priority: Priority): Promise<void>;
  recordListing(record: ListingRecord): Promise<void>;
  /** First visit: the folder has no UIDVALIDITY yet. Later: see ResetRecord. */
  applyReset(record: ResetRecord): Promise<void>;
  storeBatch(batch: WindowBatch): Promise<BatchResult>;
  applyFlags(at: FolderAt & { readonly changes: readonly FlagChange[]; readonly at: Instant }): Promise<number>;
  /** Tombstones by UID, as VANISHED reports them; UIDs without a live row are ignored. Returns how many rows changed. */
  applyVanished(at: FolderAt & { readonly uids: UidSet; readonly at: Instant }): Promise<number>;
  /** Stamps *_synced_at, clears errors and the count of listings without the folder. */
  endPass(end: PassEnd): Promise<void>;
  /** Folders that a listing showed to be unchanged: only recent_synced_at moves, one statement for all of them. */
  recordUnchanged(emfdids: readonly number[], at: Instant): Promise<void>;
  failFolder(emfdid: number, failure: { lastError: string; retryAt: Instant; failureCount: number }): Promise<void>;
  /** Held deletions become tombstones; returns how many. */
  approveDeletions(emfdid: number, at: Instant): Promise<number>;
  /** Due at once: the UID (null: all of the folder) becomes pending again at its next pass. Returns how many; throws `not_found`. */
  retryQuarantined(emfdid: number, uid: number | null, at: Instant): Promise<number>;
}

export interface Store extends StoreReads, StoreWrites {
  close(): Promise<void>;
}
