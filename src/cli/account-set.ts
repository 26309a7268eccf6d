/** `account set`, `enable` and `disable`: single transactions. A new password or server frees the account of its backoff. */
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { LoginChanges } from '../store/logins.ts';
import type { AccountChanges } from '../store/store.ts';
import { accountOf } from './account-list.ts';
import type { CliContext } from './context.ts';
import { checkEmail } from './email-argument.ts';
import { addLoginOptions, givenLogin, type LoginOptions } from './login-options.ts';
import { numberArgument } from './number-argument.ts';
import { readerIds } from './reader-ids.ts';
import { addSecretOptions, givenSecret } from './secret-options.ts';
import { parseServerUrl } from './server-url.ts';

interface Options extends LoginOptions {
  readonly email?: string;
  readonly imap?: string;
  readonly smtp?: string;
  readonly userId?: string;
  readonly name?: string;
  readonly readers?: string;
  readonly allowPlaintext?: boolean;
}

export function register(account: Command, context: CliContext): void {
  const command = account
    .command('set <acntid>')
    .description('change what is given, leave the rest')
    .option('--email <address>', 'the address')
    .option('--imap <url>', 'imaps://USER@HOST:PORT, or imap://… for STARTTLS')
    .option('--smtp <url>', 'smtps://USER@HOST:PORT, or smtp://… for STARTTLS')
    .option('--user-id <id>', 'who owns it in your application')
    .option('--name <name>', 'display name')
    .option('--readers <user-ids>', 'further users who read it, separated by commas')
    .option('--allow-plaintext', 'send the password without TLS to imap:// and smtp:// hosts');
  addSecretOptions(command, 'password', 'the password');
  addLoginOptions(command)
    .option('--no-oauth', 'forget the OAuth grant: log in by password again')
    .action((acntid: string, options: Options) => set(context, numberArgument('ACNTID')(acntid), options));
  for (const enabled of [true, false]) {
    account
      .command(`${enabled ? 'enable' : 'disable'} <acntid>`)
      .description(enabled ? 'synchronise this account again' : 'leave this account alone; its mail stays')
      .action((acntid: string) =>
        context.withStore((store) => store.updateAccount(numberArgument('ACNTID')(acntid), { enabled })),
      );
  }
}

async function set(context: CliContext, acntid: number, options: Options): Promise<void> {
  if (options.email !== undefined) checkEmail(options.email);
  const password = await givenSecret(context, { ...options }, 'password');
  await context.withStore(async (store) => {
    const account = await accountOf(store, acntid);
    const login = await givenLogin(context, options, (await store.login(acntid)) ?? null);
    const changes = changesOf(
      options,
      options.email ?? account.email,
      options.allowPlaintext ?? account.allowPlaintext,
      { password, login },
    );
    if (Object.keys(changes).length === 0)
      throw new EngineError('usage', 'Nothing to set; see `backproc account set --help`.');
    await store.updateAccount(acntid, changes);
  });
}

function changesOf(
  options: Options,
  email: string,
  allowPlaintext: boolean,
  { password, login }: { readonly password: string | null; readonly login: LoginChanges },
): AccountChanges {
  return {
    ...(options.email === undefined ? {} : { email }),
    ...(options.imap === undefined
      ? {}
      : { imap: parseServerUrl(options.imap, { kind: 'imap', email, allowPlaintext }) }),
    ...(options.smtp === undefined
      ? {}
      : { smtp: parseServerUrl(options.smtp, { kind: 'smtp', email, allowPlaintext }) }),
    ...(options.userId === undefined ? {} : { userId: options.userId }),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.allowPlaintext === undefined ? {} : { allowPlaintext }),
    ...(options.readers === undefined ? {} : { readers: readerIds(options.readers) }),
    ...(password === null ? {} : { password }),
    ...(Object.keys(login).length === 0 ? {} : { login }),
  };
}
