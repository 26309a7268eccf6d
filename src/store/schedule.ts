/**
 * What the schedule asks of a store: the times of many accounts at once, who is looking, what applications changed in SQL, and
 * which servers rest. Part of the Store interface (store.ts).
 */
import type { Instant } from '../base/clock.ts';

export interface FolderTimes {
  readonly emfdid: number;
  readonly priority: 'high' | 'low' | 'off';
  readonly isSelectable: boolean;
  readonly isFirstSynced: boolean;
  /** Listed UIDs that wait to be fetched. */
  readonly hasPending: boolean;
  readonly recentSyncedAt: Instant | null;
  readonly fullSyncedAt: Instant | null;
  readonly retryAt: Instant | null;
}

export interface AccountTimes {
  readonly acntid: number;
  /** `mail.example.com:993` */
  readonly server: string;
  /** The owner, then further readers. */
  readonly users: readonly { readonly userId: string; readonly lastSeenAt: Instant | null }[];
  readonly enabled: boolean;
  readonly state: 'ok' | 'auth_error' | 'backoff';
  readonly failureCode: string | null;
  readonly retryAt: Instant | null;
  readonly checkedAt: Instant | null;
  /** Retired ones left out. */
  readonly folders: readonly FolderTimes[];
}

/** A server that failed for several accounts, or asked all of us for rest. Kept, so that a restart does not forget it. */
export interface ServerRest {
  readonly server: string;
  readonly failureCount: number;
  readonly retryAt: Instant;
  readonly markedAt: Instant;
  readonly lastError: string;
}

export interface ScheduleReads {
  accountCount(): Promise<number>;
  /** Accounts above `afterAcntid` by number, at most `limit`, in one statement. A shorter answer is the last one. */
  accountTimesPage(afterAcntid: number, limit: number): Promise<AccountTimes[]>;
  accountTimes(acntid: number): Promise<AccountTimes | undefined>;
  /**
   * user_id → last_seen_at of users seen later than `at`, by index. Applications stamp with their own clock and commit later:
   * ask with an overlap of some seconds.
   */
  presenceSince(at: Instant): Promise<Map<string, Instant>>;
  /** Accounts that any of these users owns or reads. */
  accountsOfUsers(userIds: readonly string[]): Promise<number[]>;
  serverRests(): Promise<ServerRest[]>;
}

export interface ScheduleWrites {
  /**
   * Accounts that somebody made, removed, enabled, disabled, gave another user, reader, password, login, server or folder priority since the
   * last call, and those whose user went away (email_presence row deleted or set back); whoever did it, in SQL or by command.
   * Forgets them, at most 5,000 at a time; without news it begins no transaction. What was taken before a crash is found again
   * by the engine's start, which looks at every account.
   */
  takeChangedAccounts(): Promise<number[]>;
  setPresence(userId: string, at: Instant): Promise<void>;
  clearPresence(userId: string): Promise<void>;
  /** Replaces what was known of the server; null: it is well. */
  recordServerRest(server: string, rest: Omit<ServerRest, 'server'> | null): Promise<void>;
}
