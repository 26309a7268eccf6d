/** What one pass over an account is given, and what it tells back: plain data and the ports to the outside. */
import type { Clock } from '../base/clock.ts';
import type { CredentialsOf } from '../base/credentials.ts';
import type { ErrorRecord } from '../base/errors.ts';
import type { AnswerRoom } from '../imap/answer-room.ts';
import type { Link } from '../imap/link.ts';
import type { ImapSession, SessionOptions } from '../imap/session.ts';
import type { Store } from '../store/store.ts';
import type { KeptSessions } from './kept-sessions.ts';
import type { PassKind } from './plan.ts';
import type { DayLimit } from './slice.ts';

/** Which folders a pass looks at. A folder never synced is due at once, whatever the scope. */
export type Scope =
  /** By command: every folder that is not off, or those of `paths`. */
  | { readonly kind: 'command'; readonly pass: PassKind; readonly paths: readonly string[] }
  /** By schedule: these folders, by number. */
  | {
      readonly kind: 'schedule';
      readonly recent: readonly number[];
      readonly full: readonly number[];
      /** Folders never synced have a pass of their own: urgent work does not become long work. */
      readonly leavesFirst?: true;
    };

export interface PassTask {
  readonly acntid: number;
  readonly scope: Scope;
  /** Connections this pass may open. */
  readonly connections: number;
  /** Whether one of them stays open afterwards. */
  readonly keep: KeepWish;
  /** The pass stops fetching after so long and says that it is unfinished, so that others get their turn; null: never. */
  readonly sliceMs: number | null;
}

/** `watch`: open, with INBOX in IDLE. */
export type KeepWish = 'no' | 'open' | 'watch';

/** What of the configuration a pass needs. */
export interface PassLimits {
  readonly messageBytesMax: number;
  readonly authRetrySeconds: number;
  readonly commandTimeoutMs: number;
  readonly transferTimeoutMsPerMib: number;
  /** BG_MAX_BYTES_PER_DAY_PER_ACCOUNT in BACKPROC_TIME_ZONE; null: no limit. */
  readonly perDay: DayLimit | null;
}

export interface FolderReport {
  readonly emfdid: number;
  readonly path: string;
  readonly receivedCount: number;
  readonly receivedBytes: number;
  readonly flagCount: number;
  readonly vanishedCount: number;
  readonly quarantinedCount: number;
  readonly heldCount: number;
  readonly error: ErrorRecord | null;
}

export interface PassReport {
  readonly acntid: number;
  /** Folders that were opened; unchanged ones only count. */
  readonly folders: readonly FolderReport[];
  readonly unchangedCount: number;
  /** What ended the pass before its end. */
  readonly error: ErrorRecord | null;
  /** Its slice was over before everything was fetched. */
  readonly isUnfinished: boolean;
  /** A connection stays open. */
  readonly isKept: boolean;
}

export const failedPass = (acntid: number, error: ErrorRecord): PassReport => ({
  acntid,
  folders: [],
  unchangedCount: 0,
  error,
  isUnfinished: false,
  isKept: false,
});

export interface Progress {
  readonly acntid: number;
  readonly emfdid: number;
  readonly path: string;
  readonly receivedCount: number;
  readonly receivedBytes: number;
  /** Still to come in this folder. */
  readonly pendingCount: number;
}

export interface PassLog {
  debug(message: string, at?: { acntid: number; emfdid?: number }): void;
  info(message: string, at?: { acntid: number; emfdid?: number }): void;
  warn(message: string, at?: { acntid: number; emfdid?: number }): void;
}

export interface Ports {
  readonly store: Store;
  readonly credentialsOf: CredentialsOf;
  readonly kept: KeptSessions;
  readonly linkTo: (host: string) => Link;
  readonly room: AnswerRoom;
  readonly openSession: (options: SessionOptions) => Promise<ImapSession>;
  readonly limits: PassLimits;
  readonly log: PassLog;
  readonly clock: Clock;
  /** Of this pass: cancelled, or the thread ends. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}
