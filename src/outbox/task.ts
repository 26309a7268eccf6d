/** What a sending or filing task is given, and what it tells back: plain data and the ports to the outside. */
import type { Clock } from '../base/clock.ts';
import type { CredentialsOf } from '../base/credentials.ts';
import type { ErrorRecord } from '../base/errors.ts';
import type { OpenFiling } from '../imap/filing.ts';
import type { Link } from '../imap/link.ts';
import type { SmtpPool } from '../smtp/pool.ts';
import type { OpenSmtp } from '../smtp/session.ts';
import type { Store } from '../store/store.ts';
import type { LimitSettings } from './limits.ts';

/** Sends what is due of one account. No account has two such tasks at a time. */
export interface SendTask {
  readonly acntid: number;
  /** SMTP connections that this task may open; the provider's limit may be lower. */
  readonly connections: number;
}

/** Looks after what was sent: Sent copies, unknown outcomes, \Answered. May run beside a sending task of the account. */
export interface FileTask {
  readonly acntid: number;
}

export interface SendReport {
  readonly acntid: number;
  readonly deliveredCount: number;
  readonly deferredCount: number;
  /** Also bad entries that came to no attempt. */
  readonly rejectedCount: number;
  readonly unknownCount: number;
  /** Attempts that a dead engine or thread had left behind. */
  readonly recoveredCount: number;
  /** What put the account off; what befell single mails is in the store. */
  readonly error: ErrorRecord | null;
}

export interface FileReport {
  readonly acntid: number;
  readonly filedCount: number;
  readonly answeredCount: number;
  readonly resolvedCount: number;
  readonly error: ErrorRecord | null;
}

/** What of the configuration the outbox needs. */
export interface OutboxSettings {
  readonly limits: LimitSettings;
  readonly authRetrySeconds: number;
  readonly networkTimeoutMs: number;
  readonly giveUpHours: number;
  readonly messageBytesMax: number;
  readonly attachmentRoot: string | null;
  readonly unknown: 'hold' | 'resend-once';
}

export interface OutboxLog {
  debug(message: string, at?: { acntid: number; emfdid?: number }): void;
  info(message: string, at?: { acntid: number; emfdid?: number }): void;
  warn(message: string, at?: { acntid: number; emfdid?: number }): void;
}

/** A sending task opens SMTP connections, a filing task IMAP ones. */
export type SendPorts = Omit<OutboxPorts, 'openFiling' | 'linkTo'>;
export type FilePorts = Omit<OutboxPorts, 'openSmtp' | 'smtpPool'>;

export interface OutboxPorts {
  readonly store: Store;
  readonly credentialsOf: CredentialsOf;
  readonly openSmtp: OpenSmtp;
  /** One for the thread; whoever made it closes it. */
  readonly smtpPool: SmtpPool;
  readonly openFiling: OpenFiling;
  readonly linkTo: (host: string) => Link;
  readonly settings: OutboxSettings;
  readonly log: OutboxLog;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
