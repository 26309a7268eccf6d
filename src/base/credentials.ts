/** What a login needs, as plain data. Never logged; `secretsOf` names what must be masked in foreign text. */

export type Credentials = PasswordCredentials | TokenCredentials;

export interface PasswordCredentials {
  readonly kind: 'password';
  readonly user: string;
  readonly password: string;
}

/** An OAuth access token, valid when it was handed out (RFC 7628 OAUTHBEARER, or XOAUTH2 where that is all there is). */
export interface TokenCredentials {
  readonly kind: 'token';
  readonly user: string;
  readonly accessToken: string;
}

export const secretsOf = (credentials: Credentials): readonly string[] => [
  credentials.kind === 'password' ? credentials.password : credentials.accessToken,
];

/** An empty secret masks nothing. */
export function maskCredentials(text: string, credentials: Credentials): string {
  return secretsOf(credentials).reduce(
    (masked, secret) => (secret === '' ? masked : masked.replaceAll(secret, '***')),
    text,
  );
}

/**
 * How everything that logs in gets what it needs, at the moment it needs it. Throws `no_password`, `secret_unreadable`, and what
 * fetching a token can throw.
 */
export type CredentialsOf = (acntid: number, protocol: 'imap' | 'smtp') => Promise<Credentials>;
