/** `account import FILE`: all mistakes first, then one transaction for each account; repeating it changes nothing. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { ImportStep } from '../login/account-import.ts';
import type { Store } from '../store/store.ts';
import type { CliContext } from './context.ts';
import { passphraseFor } from './passphrase.ts';
import { addSecretOptions } from './secret-options.ts';
import { storedAccounts } from './stored-accounts.ts';
import { formatTable } from './table.ts';

interface Options {
  readonly withoutSecrets?: boolean;
  readonly newNumbers?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

interface Row {
  readonly acntid: number | null;
  readonly email: string;
  readonly result: 'added' | 'changed' | 'unchanged';
  readonly fields: string;
}

export function register(account: Command, context: CliContext): void {
  const command = account
    .command('import <file>')
    .description('add and change accounts as a file of `account export` says; none is removed')
    .option('--without-secrets', 'leave the secrets of the file alone')
    .option('--new-numbers', 'give new accounts the next free numbers instead of those in the file')
    .option('--dry-run', 'show what would be done')
    .option('--json', 'print JSON');
  addSecretOptions(command, 'passphrase', 'the passphrase').action((file: string, options: Options) =>
    importAccounts(context, file, options),
  );
}

async function importAccounts(context: CliContext, file: string, options: Options): Promise<void> {
  const { invalid, openSecrets, readAccountFile } = await import('../login/account-file.ts');
  const { planImport } = await import('../login/account-import.ts');
  const read = readAccountFile(textOf(file));
  const hasSecrets = read.secrets !== null && options.withoutSecrets !== true;
  const secrets = hasSecrets
    ? await openSecrets(read, await passphraseFor(context, { ...options }, 'import'))
    : read.accounts.map(() => ({}));
  const rows = await context.withStore(async (store) => {
    const stored = await storedAccounts(store, hasSecrets);
    const plan = planImport(read.accounts, secrets, stored, { newNumbers: options.newNumbers === true });
    if (plan.mistakes.length > 0) throw invalid(plan.mistakes);
    return applyAll(options.dryRun === true ? null : store, plan.steps);
  });
  print(context, rows, options.json === true);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\ufeff/, '');
  } catch (error) {
    throw new EngineError(
      'usage',
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

/** `store` null: nothing is done. */
async function applyAll(store: Store | null, steps: readonly ImportStep[]): Promise<Row[]> {
  const { changedFields } = await import('../login/account-import.ts');
  const rows: Row[] = [];
  for (const step of steps) {
    if (step.kind === 'add') {
      const acntid = store ? await store.addAccount(step.account) : (step.account.acntid ?? null);
      rows.push({ acntid, email: step.account.email, result: 'added', fields: '' });
    } else if (step.kind === 'change') {
      await store?.updateAccount(step.acntid, step.changes);
      const { acntid, email } = step;
      rows.push({ acntid, email, result: 'changed', fields: changedFields(step.changes).join(', ') });
    } else rows.push({ acntid: step.acntid, email: step.email, result: 'unchanged', fields: '' });
  }
  return rows;
}

function print(context: CliContext, rows: readonly Row[], isJson: boolean): void {
  if (isJson) context.print(JSON.stringify(rows, null, 2));
  else context.say(rows.length === 0 ? 'no accounts in the file' : formatTable(rows.map((row) => ({ ...row }))));
}
