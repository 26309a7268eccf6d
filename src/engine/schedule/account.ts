/** What the schedule looks at: one account, its folders, its users and its server as plain data. Instants in milliseconds, UTC. */
import type { TimeZone } from '../../base/time-zone.ts';

export interface ScheduledFolder {
  readonly emfdid: number;
  readonly priority: 'high' | 'low' | 'off';
  readonly isSelectable: boolean;
  readonly isFirstSynced: boolean;
  /** Listed UIDs wait to be fetched: a pass was interrupted, or a quarantined message is to be tried again. */
  readonly hasPending: boolean;
  readonly recentSyncedMs: number | null;
  readonly fullSyncedMs: number | null;
  readonly retryMs: number | null;
}

export interface AccountUser {
  readonly userId: string;
  /** email_presence; null: never seen. */
  readonly lastSeenMs: number | null;
}

export interface ScheduledAccount {
  readonly acntid: number;
  /** `mail.example.com:993` */
  readonly server: string;
  /** The account counts as looked at when any of them is logged in. */
  readonly users: readonly AccountUser[];
  readonly enabled: boolean;
  readonly state: 'ok' | 'auth_error' | 'backoff';
  /** Of the last failure (base/errors.ts); null: none. */
  readonly failureCode: string | null;
  readonly retryMs: number | null;
  /** End of the last pass; null: never looked at. */
  readonly checkedMs: number | null;
  readonly pause: Pause | null;
  /** Not before this instant: the whole server failed or asked for rest. */
  readonly serverRetryMs: number | null;
  /** When the server last answered any account. */
  readonly serverOkMs: number | null;
  readonly folders: readonly ScheduledFolder[];
}

/** What was due of these folders when a pass began, and still is although it ended well, waits until `untilMs`. */
export interface Pause {
  readonly emfdids: readonly number[];
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Of the configuration: intervals in seconds, from the end of a pass to the next. */
export interface Rules {
  readonly isSyncEnabled: boolean;
  readonly recentSeconds: number;
  readonly recentSecondsAway: number;
  readonly fullSeconds: number;
  readonly fullSecondsAway: number;
  readonly presenceSeconds: number;
  readonly authRetrySeconds: number;
  readonly daily: DailyWindow;
}

/** Low-priority folders: one full pass for each local date, from this time of day on. */
export interface DailyWindow {
  readonly zone: TimeZone;
  /** Since local midnight. */
  readonly startMs: number;
  /** Accounts begin at fixed moments within this long after the start. */
  readonly spreadMs: number;
}
