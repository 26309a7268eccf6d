/** What a login needs, as plain data. Never logged; in the text of others it is masked, and before that text is cut short. */
import { asEngineError } from './errors.ts';

export type Credentials = PasswordCredentials | TokenCredentials;

export interface PasswordCredentials {
  readonly kind: 'password';
  /** Whose password it is (authcid). */
  readonly user: string;
  readonly password: string;
  /**
   * Whose mailbox is meant, where that is somebody else's (RFC 4616). Only SASL PLAIN can say it: a login that leaves it out
   * opens the wrong mailbox, so it must fail instead (`auth_unsupported`).
   */
  readonly authzid?: string;
}

/**
 * An OAuth access token, valid when it was handed out (RFC 7628 OAUTHBEARER, or XOAUTH2 where that is all there is). `user` is
 * whose mailbox is meant, also where the token is somebody else's: that is how a shared mailbox is opened.
 */
export interface TokenCredentials {
  readonly kind: 'token';
  readonly user: string;
  readonly accessToken: string;
}

/** The login is one person's, the mailbox another's. */
export const isDelegated = (credentials: Credentials): boolean =>
  credentials.kind === 'password' && credentials.authzid !== undefined;

export const secretOf = (credentials: Credentials): string =>
  credentials.kind === 'password' ? credentials.password : credentials.accessToken;

/** What SASL PLAIN sends (RFC 4616), in base64. */
export const saslPlain = ({ authzid = '', user, password }: PasswordCredentials): string =>
  Buffer.from(`${authzid}\0${user}\0${password}`).toString('base64');

/** Base64 of three characters and more. */
const base64Run = /[A-Za-z0-9+/]{3,}={0,2}/g;

/** As it is, quoted, and inside what SASL and HTTP make of it: a server may repeat what it did not understand. */
export const maskCredentials = (text: string, credentials: Credentials): string =>
  maskSecret(text, secretOf(credentials));

export function maskSecret(text: string, secret: string): string {
  if (secret === '') return text;
  return text
    .replaceAll(secret, '***')
    .replaceAll(secret.replace(/["\\]/g, '\\$&'), '***')
    .replaceAll(encodeURIComponent(secret.toWellFormed()), '***')
    .replaceAll(new URLSearchParams({ x: secret }).toString().slice('x='.length), '***')
    .replace(base64Run, (run) => (Buffer.from(run, 'base64').includes(secret) ? '***' : run));
}

/**
 * How everything that logs in gets what it needs, at the moment it needs it. `refused`: what the server has just refused;
 * another is handed out where one can be had (a token is refreshed, a command asked again), else the same. Throws
 * `no_password`, `secret_unreadable`, `password_command_failed`, and for tokens `auth_failed` (the provider refuses to refresh)
 * and `token_unavailable`.
 */
export type CredentialsOf = (acntid: number, protocol: 'imap' | 'smtp', refused?: Credentials) => Promise<Credentials>;

/**
 * Logs in with what is at hand; when the server refuses it and another can be had, once more with that. Everything that logs in
 * does it through here.
 */
export async function logInWith<T>(
  credentialsOf: CredentialsOf,
  { acntid, protocol }: { readonly acntid: number; readonly protocol: 'imap' | 'smtp' },
  logIn: (credentials: Credentials) => Promise<T>,
): Promise<T> {
  const credentials = await credentialsOf(acntid, protocol);
  try {
    return await logIn(credentials);
  } catch (error) {
    if (asEngineError(error).code !== 'auth_failed') throw error;
    const another = await credentialsOf(acntid, protocol, credentials);
    if (secretOf(another) === secretOf(credentials)) throw error;
    return logIn(another);
  }
}
