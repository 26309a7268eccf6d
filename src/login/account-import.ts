/**
 * Decides what an account file changes. Pure. Repeating an import changes nothing: accounts are the same when login and host are.
 * A refresh token in the store is never replaced by the file's: it may be the newer one, and the older one dead.
 */
import type { Login, LoginChanges } from '../store/logins.ts';
import type { Account, AccountChanges, NewAccount } from '../store/store.ts';
import { type FileAccount, type FileSecrets, loginKey } from './account-file.ts';

/** An account as it is in the store. */
export interface StoredAccount {
  readonly account: Account;
  readonly login: Login;
  readonly readers: readonly string[];
  readonly secrets: FileSecrets;
}

export type ImportStep =
  | { readonly kind: 'add'; readonly account: NewAccount }
  | { readonly kind: 'change'; readonly acntid: number; readonly email: string; readonly changes: AccountChanges }
  | { readonly kind: 'keep'; readonly acntid: number; readonly email: string };

export interface ImportPlan {
  readonly steps: readonly ImportStep[];
  readonly mistakes: readonly string[];
}

export interface ImportOptions {
  /** The numbers in the file are ignored: each new account gets the next free one. */
  readonly newNumbers: boolean;
}

export function planImport(
  accounts: readonly FileAccount[],
  secrets: readonly FileSecrets[],
  stored: readonly StoredAccount[],
  { newNumbers }: ImportOptions,
): ImportPlan {
  const byLogin = new Map(stored.map((one) => [loginKey(one.account), one]));
  const byNumber = new Map(stored.map((one) => [one.account.acntid, one]));
  const mistakes: string[] = [];
  const steps = accounts.map((given, index): ImportStep => {
    const known = byLogin.get(loginKey(given));
    const secret = secrets[index] ?? {};
    if (known) return changeOf(given, secret, known);
    const holder = given.acntid === undefined || newNumbers ? undefined : byNumber.get(given.acntid);
    if (holder) mistakes.push(`accounts[${index}].acntid: ${given.acntid} is taken by ${holder.account.email}`);
    return { kind: 'add', account: newAccountOf(given, secret, newNumbers) };
  });
  return { steps, mistakes };
}

function newAccountOf(given: FileAccount, secrets: FileSecrets, newNumbers: boolean): NewAccount {
  const login = newLoginOf(given, secrets);
  return {
    ...(given.acntid !== undefined && !newNumbers && { acntid: given.acntid }),
    email: given.email,
    userId: given.userId ?? null,
    name: given.name ?? null,
    imap: given.imap,
    smtp: given.smtp ?? null,
    allowPlaintext: given.allowPlaintext ?? false,
    password: secrets.password ?? null,
    ...(given.enabled !== undefined && { enabled: given.enabled }),
    ...(given.readers !== undefined && given.readers.length > 0 && { readers: given.readers }),
    ...(Object.keys(login).length > 0 && { login }),
  };
}

function newLoginOf({ loginUser, oauth }: FileAccount, secrets: FileSecrets): LoginChanges {
  return {
    ...(typeof loginUser === 'string' && { loginUser }),
    ...(secrets.passwordCommand && { passwordCommand: secrets.passwordCommand }),
    ...(oauth && {
      oauth: { ...oauth, clientSecret: secrets.clientSecret ?? null, refreshToken: secrets.refreshToken ?? null },
    }),
  };
}

function changeOf(given: FileAccount, secrets: FileSecrets, stored: StoredAccount): ImportStep {
  const { acntid, email } = stored.account;
  const login = loginChangesOf(given, secrets, stored);
  const changes: AccountChanges = {
    ...differing(given, stored.account, ['email', 'userId', 'name', 'imap', 'smtp', 'allowPlaintext', 'enabled']),
    ...differing(given, { readers: stored.readers }, ['readers']),
    ...differing(secrets, stored.secrets, ['password']),
    ...(Object.keys(login).length > 0 && { login }),
  };
  return Object.keys(changes).length === 0
    ? { kind: 'keep', acntid, email }
    : { kind: 'change', acntid, email, changes };
}

function loginChangesOf(given: FileAccount, secrets: FileSecrets, stored: StoredAccount): LoginChanges {
  const oauth = grantChangesOf(given, secrets, stored);
  return {
    ...differing(given, stored.login, ['loginUser']),
    ...differing(secrets, stored.secrets, ['passwordCommand']),
    ...(oauth !== undefined && { oauth }),
  };
}

function grantChangesOf({ oauth }: FileAccount, secrets: FileSecrets, stored: StoredAccount): LoginChanges['oauth'] {
  const { login } = stored;
  if (oauth === undefined) return undefined;
  if (oauth === null) return login.oauth ? null : undefined;
  const isSameClient = login.oauth?.clientId === oauth.clientId && login.oauth.tokenUrl === oauth.tokenUrl;
  if (!isSameClient)
    return { ...oauth, clientSecret: secrets.clientSecret ?? null, refreshToken: secrets.refreshToken ?? null };
  const changes = {
    ...differing(oauth, login.oauth ?? {}, ['preset', 'scope']),
    ...differing(secrets, stored.secrets, ['clientSecret']),
    ...(!login.hasRefreshToken && differing(secrets, {}, ['refreshToken'])),
  };
  return Object.keys(changes).length === 0 ? undefined : changes;
}

/** Of these fields, those that `given` has and `stored` has otherwise. */
function differing<T extends object, K extends keyof T>(
  given: T,
  stored: Partial<Readonly<Record<K, unknown>>>,
  fields: readonly K[],
): { [F in K]?: Exclude<T[F], undefined> } {
  const entries = fields.filter((field) => given[field] !== undefined && !isSame(given[field], stored[field]));
  return Object.fromEntries(entries.map((field) => [field, given[field]])) as { [F in K]?: Exclude<T[F], undefined> };
}

/** Plain data; hosts of the store may differ in case, which loginKey has looked at. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isSame(Reflect.get(a, key), Reflect.get(b, key)));
}

/** For people: which fields a step touches. */
export function changedFields(changes: AccountChanges): string[] {
  const { login, ...rest } = changes;
  const grant = login?.oauth === null ? ['oauth'] : Object.keys(login?.oauth ?? {});
  return [...Object.keys(rest), ...Object.keys(login ?? {}).filter((field) => field !== 'oauth'), ...grant];
}
