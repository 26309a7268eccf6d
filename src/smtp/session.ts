/**
 * One logged-in SMTP connection, in the engine's words. nodemailer stands behind it (smtp/open-session.ts); what servers and
 * the library do wrong ends here. `send` never throws for what happens to a message: it tells how far it came, what the server
 * said to whom, and what broke. One message at a time. Every step has a wall-clock deadline that closes the socket.
 */
import type { Credentials } from '../base/credentials.ts';
import type { ErrorRecord } from '../base/errors.ts';

export interface Reply {
  /** 0: the server was not asked, this is our own refusal; -1: what it said is no reply. */
  readonly code: number;
  /** As the server wrote it, without line ends, cut to what a log can hold. */
  readonly text: string;
}

export interface RecipientReply extends Reply {
  readonly address: string;
}

export interface Envelope {
  /** Empty: the null sender of a bounce. Domains in ASCII. */
  readonly from: string;
  readonly to: readonly string[];
  /** Something in the headers needs SMTPUTF8 (RFC 6531), although the addresses of this envelope may not. */
  readonly needsUtf8: boolean;
}

export interface SendHooks {
  /**
   * The server has answered 354. Not a byte of the body leaves before this resolves; rejecting cuts the connection, and a
   * server discards what has no final dot (RFC 5321 4.1.1.4).
   */
  onDataStarted(): Promise<void>;
  /** The final dot is out, and the reply is not there within `slowReplyMs`. */
  onReplyLate(): void;
}

/**
 * How far a transaction came. `envelope`: no byte of the body has left. `data_started`: some may have, the final dot has not.
 * `body_sent`: the final dot has.
 */
export type SendPhase = 'envelope' | 'data_started' | 'body_sent';

export interface SendOutcome {
  readonly phase: SendPhase;
  /** Recipients that the server took, and those it refused, as far as it has answered. */
  readonly accepted: readonly string[];
  readonly refused: readonly RecipientReply[];
  /** The reply that ended the transaction: to MAIL, to DATA, or to the final dot. Null: there was none. */
  readonly reply: Reply | null;
  /** What broke instead of a reply. */
  readonly failure: ErrorRecord | null;
}

export interface SmtpCapabilities {
  /** False: the server offers no login (RFC 4954), so there was none. */
  readonly hasAuth: boolean;
  readonly hasSmtpUtf8: boolean;
  readonly has8BitMime: boolean;
  readonly hasPipelining: boolean;
  /** Largest message (RFC 1870); null: the server does not say. */
  readonly sizeBytesMax: number | null;
}

export interface SmtpSession {
  readonly capabilities: SmtpCapabilities;
  /** Messages sent so far over this connection. */
  readonly sentCount: number;
  /** False when the connection is gone or no longer to be trusted. */
  readonly isUsable: boolean;
  send(envelope: Envelope, message: Uint8Array, hooks: SendHooks, signal: AbortSignal): Promise<SendOutcome>;
  /** QUIT, bounded; never throws. */
  close(): Promise<void>;
  /** Cuts the connection at once. */
  abort(): void;
}

export interface SmtpTimeouts {
  /** Connecting, greeting, EHLO, STARTTLS and login, each. */
  readonly commandMs: number;
  /** MAIL, RCPT and DATA together, for one recipient; more of them get more. */
  readonly envelopeMs: number;
  /** Between two moments at which the server takes some of the body. */
  readonly blockMs: number;
  /** The reply to the final dot: the server may be busy delivering, and giving up makes the outcome unknown. */
  readonly finalReplyMs: number;
  /** When stopping: so long a body that is under way may still take. */
  readonly finishMs: number;
}

export interface SmtpOptions {
  readonly host: string;
  readonly port: number;
  readonly security: 'tls' | 'starttls' | 'none';
  /** Security none is for loopback hosts, and for those where the operator gave it up. */
  readonly allowPlaintext: boolean;
  readonly credentials: Credentials;
  readonly timeouts: SmtpTimeouts;
  readonly signal: AbortSignal;
}

export type OpenSmtp = (options: SmtpOptions) => Promise<SmtpSession>;

/** RFC 5321 4.5.3.2 as multiples of one setting: five minutes for commands, three for a block, ten for the final reply. */
export const smtpTimeouts = (networkTimeoutMs: number): SmtpTimeouts => ({
  commandMs: networkTimeoutMs,
  envelopeMs: 5 * networkTimeoutMs,
  blockMs: 3 * networkTimeoutMs,
  finalReplyMs: 10 * networkTimeoutMs,
  finishMs: Math.min(30_000, networkTimeoutMs),
});
