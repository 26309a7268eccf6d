/**
 * The part of the store that logging in rests on: OAuth grants, passwords by command, whose mailbox is meant, who reads an
 * account, and the key that seals all of it. A grant has a generation, raised by everything that replaces it: what was fetched
 * with one generation is never written over another.
 */
import type { Instant } from '../base/clock.ts';

/** What an account logs in with. No secret is in it. */
export interface Login {
  /** Whose password it is, where that is not the user whose mailbox it is. */
  readonly loginUser: string | null;
  readonly hasPassword: boolean;
  readonly hasPasswordCommand: boolean;
  readonly oauth: OauthClient | null;
  readonly hasRefreshToken: boolean;
  readonly hasClientSecret: boolean;
  readonly accessTokenExpiresAt: Instant | null;
  readonly refreshError: string | null;
}

export interface OauthClient {
  /** Where the rest came from, for people: `google`, `microsoft`. */
  readonly preset: string | null;
  readonly clientId: string;
  readonly tokenUrl: string;
  readonly scope: string | null;
}

export interface GrantSecrets {
  readonly clientSecret: string | null;
  /** Null: the client's own credentials are the grant (RFC 6749 4.4). */
  readonly refreshToken: string | null;
}

/** Decrypted. */
export interface Grant extends OauthClient, GrantSecrets {
  readonly generation: number;
  readonly accessToken: AccessToken | null;
  /** Until when somebody is refreshing it; in the past: that was cut off. */
  readonly leaseUntil: Instant | null;
  readonly failure: GrantFailure | null;
}

export interface AccessToken {
  readonly token: string;
  /** From here on a new one is fetched, while this one still serves… */
  readonly refreshAt: Instant;
  /** …until here. */
  readonly expiresAt: Instant;
}

export interface GrantFailure {
  /** refused: the provider takes this grant no more. unavailable: no sensible answer came. */
  readonly kind: 'refused' | 'unavailable';
  readonly error: string;
  readonly retryAt: Instant;
  /** Failures in a row. */
  readonly count: number;
}

/** What is absent stays as it is; null takes it away. */
export interface LoginChanges {
  readonly loginUser?: string | null;
  /** argv. */
  readonly passwordCommand?: readonly string[] | null;
  /** Merged with what is there, in the transaction: a token that was rotated meanwhile is not undone. */
  readonly oauth?: Partial<OauthClient & GrantSecrets> | null;
}

export interface LeaseRequest {
  readonly acntid: number;
  readonly generation: number;
  /** Unique to who asks. */
  readonly holder: string;
  readonly at: Instant;
  readonly until: Instant;
}

export interface RefreshedGrant {
  readonly acntid: number;
  /** The generation it was fetched with. */
  readonly generation: number;
  readonly accessToken: AccessToken;
  /** Null: the provider keeps the old one. */
  readonly refreshToken: string | null;
}

export interface FailedGrant {
  readonly acntid: number;
  readonly generation: number;
  readonly holder: string;
  readonly failure: GrantFailure;
}

export interface KeyChange {
  /** False: a change that had been cut off was brought to its end, with the key that it had made. */
  readonly isNew: boolean;
  /** Secrets sealed anew. */
  readonly count: number;
  /** Accounts with a secret that no key here opens; it was left as it is. */
  readonly unreadable: readonly number[];
}

export interface LoginReads {
  /** Undefined: no such account. */
  login(acntid: number): Promise<Login | undefined>;
  /** Undefined: the account has none. Throws `secret_unreadable`, also when client or token URL are not those that it was stored for. */
  grant(acntid: number): Promise<Grant | undefined>;
  /** argv. Undefined: none. Throws `secret_unreadable` for one that the command line did not write. */
  passwordCommand(acntid: number): Promise<readonly string[] | undefined>;
  /** Who reads an account beside email_accounts.user_id: acntid → user ids, sorted. The presence of any of them counts. */
  readers(): Promise<Map<number, readonly string[]>>;
}

export interface LoginWrites {
  /** The right to refresh, until `until`. False: another has it, or the grant is a later generation. */
  leaseGrant(request: LeaseRequest): Promise<boolean>;
  /** Ends the lease. False: a later generation is there, and nothing was changed. Not fenced: the token before it may be dead. */
  saveGrant(refreshed: RefreshedGrant): Promise<boolean>;
  /** Ends the lease of `holder`; a later generation stays untouched. */
  failGrant(failed: FailedGrant): Promise<void>;
  /** A new key, and every secret sealed with it. Cut off at any point, all secrets can be read, and the next call goes on. */
  changeKey(): Promise<KeyChange>;
  /** Forgets the key before. False: something is still sealed with it, and it stays. */
  dropOldKey(): Promise<boolean>;
}
