/**
 * What an account logs in with, for sync, outbox and the command line alike: they ask, and need not know where it comes from. In
 * this order: its OAuth grant, its own password command, its stored password, the password command of the configuration.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import type { Credentials, CredentialsOf, PasswordCredentials } from '../base/credentials.ts';
import { EngineError } from '../base/errors.ts';
import type { Login } from '../store/logins.ts';
import type { Account, ServerAddress, Store } from '../store/store.ts';
import { createCommandPasswords } from './command-passwords.ts';
import { requestTimeoutMs } from './grant-plan.ts';
import type { CommandSubject } from './password-command.ts';
import { requestToken } from './token-endpoint.ts';
import { createTokens } from './tokens.ts';

export interface CredentialsOptions {
  /** EMAIL_PASSWORD_COMMAND */
  readonly passwordCommand?: readonly string[] | null;
  /** Ends waiting for tokens and commands. */
  readonly signal?: AbortSignal;
  /** Somebody at the command line wants to know now: a provider that failed a moment ago is asked again. */
  readonly ignoresBackoff?: boolean;
  readonly clock?: Clock;
}

export type Source = 'token' | 'own-command' | 'password' | 'command' | 'none';

/** Pure. */
export function sourceOf(login: Login, hasCommand: boolean): Source {
  if (login.oauth) return 'token';
  if (login.hasPasswordCommand) return 'own-command';
  if (login.hasPassword) return 'password';
  return hasCommand ? 'command' : 'none';
}

/** One for each thread: what asks at the same time shares a refresh and a command. */
export function createCredentials(store: Store, options: CredentialsOptions = {}): CredentialsOf {
  const { passwordCommand = null, ignoresBackoff = false, clock = systemClock } = options;
  const signal = options.signal ?? new AbortController().signal;
  const tokens = createTokens({
    store,
    clock,
    signal,
    ignoresBackoff,
    requestToken: (grant) => requestToken(grant, requestTimeoutMs),
  });
  const byCommand = createCommandPasswords(signal);
  return async (acntid, protocol, refused) => {
    const [account, login] = await accountAndLogin(store, acntid);
    const server = protocol === 'imap' ? account.imap : (account.smtp ?? account.imap);
    const source = sourceOf(login, passwordCommand !== null);
    if (source === 'token') return tokenFor(server, await tokens(acntid, tokenOf(refused)));
    if (source === 'none') throw new EngineError('no_password', account.email);
    if (source === 'password') return passwordFor(server, login, (await store.password(acntid)) ?? '');
    const command = source === 'command' ? passwordCommand : await store.passwordCommand(acntid);
    const subject = subjectOf(account, server, login, protocol);
    return passwordFor(server, login, await byCommand(command ?? [], subject, passwordOf(refused)));
  };
}

async function accountAndLogin(store: Store, acntid: number): Promise<[Account, Login]> {
  const [account, login] = await Promise.all([store.account(acntid), store.login(acntid)]);
  if (!account || !login) throw new EngineError('account_unknown', `${acntid}`);
  return [account, login];
}

const tokenFor = ({ user }: ServerAddress, accessToken: string): Credentials => ({ kind: 'token', user, accessToken });

/** `loginUser` has the password, the server's user the mailbox. */
function passwordFor({ user }: ServerAddress, { loginUser }: Login, password: string): PasswordCredentials {
  if (loginUser === null || loginUser === user) return { kind: 'password', user, password };
  return { kind: 'password', user: loginUser, password, authzid: user };
}

const subjectOf = (
  { acntid, email }: Account,
  { user, host }: ServerAddress,
  { loginUser }: Login,
  protocol: string,
): CommandSubject => ({ acntid, email, user: loginUser ?? user, host, protocol });

const tokenOf = (refused: Credentials | undefined): string | null =>
  refused?.kind === 'token' ? refused.accessToken : null;
const passwordOf = (refused: Credentials | undefined): string | null =>
  refused?.kind === 'password' ? refused.password : null;
