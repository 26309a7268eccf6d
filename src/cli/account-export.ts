/** `account export`: all accounts as JSON on stdout; secrets only when asked for, encrypted to a passphrase. */
import type { Command } from 'commander';
import { systemClock, toInstant } from '../base/clock.ts';
import type { ExportedAccount } from '../login/account-file.ts';
import type { StoredAccount } from '../login/account-import.ts';
import type { CliContext } from './context.ts';
import { passphraseFor } from './passphrase.ts';
import { addSecretOptions } from './secret-options.ts';
import { storedAccounts } from './stored-accounts.ts';

interface Options {
  readonly secrets?: boolean;
}

export function register(account: Command, context: CliContext): void {
  const command = account
    .command('export')
    .description('all accounts as JSON on stdout, for `account import`')
    .option('--secrets', 'with passwords, tokens and password commands, encrypted to a passphrase');
  addSecretOptions(command, 'passphrase', 'the passphrase').action((options: Options) =>
    exportAccounts(context, options),
  );
}

async function exportAccounts(context: CliContext, options: Options): Promise<void> {
  const passphrase = options.secrets ? await passphraseFor(context, { ...options }, 'export') : null;
  const stored = await context.withStore((store) => storedAccounts(store, passphrase !== null));
  const { writeAccountFile } = await import('../login/account-file.ts');
  context.print(await writeAccountFile(stored.map(toExported), passphrase, toInstant(systemClock())));
}

function toExported({ account, login, readers, secrets }: StoredAccount): ExportedAccount {
  const { acntid, email, imap, smtp, name, userId, enabled, allowPlaintext } = account;
  const { loginUser, oauth } = login;
  return {
    account: {
      acntid,
      email,
      imap,
      smtp,
      name,
      userId,
      readers: [...readers],
      enabled,
      allowPlaintext,
      loginUser,
      oauth,
    },
    secrets,
  };
}
