/** `account remove`: says what goes, asks on a terminal, then step by step (store/sqlite/remove-account.ts). */
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import { accountOf } from './account-list.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { isInteractive, isYes } from './password.ts';

export function register(account: Command, context: CliContext): void {
  account
    .command('remove <acntid>')
    .description('remove an account with all its mail from the store (not from the server)')
    .option('--yes', 'do not ask')
    .action((acntid: string, options: { yes?: boolean }) =>
      remove(context, numberArgument('ACNTID')(acntid), options.yes === true),
    );
}

async function remove(context: CliContext, acntid: number, isSure: boolean): Promise<void> {
  await context.withStore(async (store) => {
    const { email } = await accountOf(store, acntid);
    const { folders, messages, outboxEntries } = await store.accountSize(acntid);
    const what = `account ${acntid} (${email}): ${folders} folders, ${messages} messages, ${outboxEntries} outbox entries`;
    if (!isSure) await confirm(context, what);
    await store.removeAccount(acntid);
    const { clearAllRemoved } = await import('../upkeep/clear-removed.ts');
    await clearAllRemoved(store, new AbortController().signal, progressOf(context, messages));
    context.say(`removed ${what}`);
  });
}

const progressOf = (context: CliContext, messages: number) => (count: number) => {
  if (context.isTerminal)
    context.stderr.write(`\r\u001b[K${count < messages ? `${count} of ${messages} messages` : ''}`);
};

async function confirm(context: CliContext, what: string): Promise<void> {
  if (!isInteractive(context)) throw new EngineError('usage', `This removes ${what}. Say --yes.`);
  if (!(await isYes(context, `Remove ${what}?`, 'n'))) throw new EngineError('usage', 'Nothing was removed.');
}
