/** `account test`: connects, logs in, and shows what the server offers, or says plainly what is wrong. */
import type { Command } from 'commander';
import { logInWith } from '../base/credentials.ts';
import { accountOf } from './account-list.ts';
import { cliCredentials } from './cli-credentials.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { probe } from './probe.ts';
import { formatTable } from './table.ts';

export function register(account: Command, context: CliContext): void {
  account
    .command('test <acntid>')
    .description('connect, log in, list capabilities and folders')
    .option('--json', 'print JSON')
    .action((acntid: string, options: { json?: boolean }) =>
      test(context, numberArgument('ACNTID')(acntid), options.json === true),
    );
}

async function test(context: CliContext, acntid: number, isJson: boolean): Promise<void> {
  const { imap, user, result } = await context.withStore(async (store) => {
    const account = await accountOf(store, acntid);
    return logInWith(await cliCredentials(context, store), { acntid, protocol: 'imap' }, async (credentials) => ({
      imap: account.imap,
      user: credentials.user,
      result: await probe(context, account.imap, credentials),
    }));
  });
  if (isJson)
    return context.print(
      JSON.stringify(result, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2),
    );
  const whose = user === imap.user ? '' : `, for the mailbox of ${imap.user}`;
  context.print(
    `${imap.host}:${imap.port}: logged in as ${user} by ${result.mechanism}${whose}, round trip ${Math.round(result.roundTripMs)} ms`,
  );
  context.print(`capabilities: ${result.capabilities.join(' ')}\n`);
  context.print(
    formatTable(result.folders.map(({ path, role, status }) => ({ path, role, messages: status?.messages ?? null }))),
  );
}
