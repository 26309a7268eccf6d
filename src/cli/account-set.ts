/** `account set`, `enable` and `disable`: single transactions. A new password or server frees the account of its backoff. */
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { AccountChanges } from '../store/store.ts';
import { accountOf } from './account-list.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { addPasswordOptions, givenPassword, type PasswordOptions } from './password.ts';
import { parseServerUrl } from './server-url.ts';

interface Options extends PasswordOptions {
  readonly email?: string;
  readonly imap?: string;
  readonly smtp?: string;
  readonly userId?: string;
  readonly name?: string;
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
    .option('--allow-plaintext', 'send the password without TLS to imap:// and smtp:// hosts');
  addPasswordOptions(command).action((acntid: string, options: Options) =>
    set(context, numberArgument('ACNTID')(acntid), options),
  );
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
  const password = await givenPassword(context, options);
  await context.withStore(async (store) => {
    const account = await accountOf(store, acntid);
    const changes = changesOf(
      options,
      options.email ?? account.email,
      options.allowPlaintext ?? account.allowPlaintext,
      password,
    );
    if (Object.keys(changes).length === 0)
      throw new EngineError('usage', 'Nothing to set; see `backproc account set --help`.');
    await store.updateAccount(acntid, changes);
  });
}

function changesOf(options: Options, email: string, allowPlaintext: boolean, password: string | null): AccountChanges {
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
    ...(password === null ? {} : { password }),
  };
}
