/** `verify ACNTID [PATH…] [--deep]`: the ledger, and with --deep every UID, flag and byte. Exit 1 on any difference. */
import type { Command } from 'commander';
import { escapeControls } from '../base/log-line.ts';
import type { Account, Store } from '../store/store.ts';
import type { DeepResult, VerifyRow } from '../sync/verify.ts';
import { accountOf } from './account-list.ts';
import { cliCredentials } from './cli-credentials.ts';
import type { CliContext } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { numberArgument } from './number-argument.ts';
import { formatTable } from './table.ts';

interface Options {
  readonly deep?: boolean;
  readonly json?: boolean;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('verify <acntid> [path...]')
    .description('recount every folder: server = stored - held + quarantined + excluded + pending')
    .option('--deep', 'also compare every UID, flag and byte with the server')
    .option('--json', 'print JSON')
    .action((acntid: string, paths: string[], options: Options) =>
      verify(context, numberArgument('ACNTID')(acntid), paths, options),
    );
}

async function verify(context: CliContext, acntid: number, paths: readonly string[], options: Options): Promise<void> {
  const { isDifferent } = await import('../sync/verify.ts');
  const rows = await context.withStore(async (store) =>
    recount(context, store, await accountOf(store, acntid), paths, options.deep === true),
  );
  const ok = rows.length > 0 && !rows.some(isDifferent);
  if (options.json) context.print(JSON.stringify({ acntid, ok, folders: rows }, null, 2));
  else await tell(context, acntid, rows);
  context.setExitCode(ok ? exitCodes.done : exitCodes.difference);
}

/** The table, what could not be compared, and what puts right what differs. */
async function tell(context: CliContext, acntid: number, rows: readonly VerifyRow[]): Promise<void> {
  if (rows.length === 0) return context.print('nothing was synchronised yet');
  const { isDifferent, needsFull, needsRefetch } = await import('../sync/verify.ts');
  const isDeep = rows.some(({ deep }) => deep !== null);
  context.print(formatTable(rows.map((row) => tableRow(row, isDeep))));
  for (const { path, failure } of rows)
    if (failure !== null) context.print(`\n${JSON.stringify(path)} could not be compared: ${escapeControls(failure)}`);
  const count = rows.filter(isDifferent).length;
  context.print(count === 0 ? `\nall ${rows.length} folders agree` : `\n${count} of ${rows.length} folders differ`);
  if (rows.some(needsFull))
    context.print(`\`backproc sync ${acntid} --full\` compares every UID and flag, and fetches what is missing`);
  if (rows.some(needsRefetch))
    context.print(`\`backproc sync ${acntid} PATH --refetch\` replaces messages whose bytes are wrong`);
}

async function recount(
  context: CliContext,
  store: Store,
  account: Account,
  paths: readonly string[],
  isDeep: boolean,
): Promise<VerifyRow[]> {
  const { compareDeep, folderFailure, ledgerOf, toVerifyRow } = await import('../sync/verify.ts');
  const ledger = await ledgerOf(store, account.acntid, paths);
  if (!isDeep) return ledger.map((row) => toVerifyRow(row, null));
  const { config } = await context.loadConfig();
  const { openOnce } = await import('../sync/open-once.ts');
  const { openSession } = await import('../imap/open-session.ts');
  const session = await openOnce(await cliCredentials(context, store), account, openSession);
  try {
    // The ledger knows paths; how the server spells them, only a listing tells.
    await session.listFolders({ withStatus: false });
    const rows: VerifyRow[] = [];
    for (const row of ledger) {
      const compare = () =>
        compareDeep(store, session, row, config.EMAIL_MAX_MESSAGE_BYTES, progressOf(context, row.path));
      try {
        rows.push(toVerifyRow(row, row.serverCount === null ? null : await compare()));
      } catch (error) {
        rows.push(toVerifyRow(row, null, folderFailure(error)));
      }
    }
    if (context.isTerminal) context.stderr.write('\r\u001b[K');
    return rows;
  } finally {
    await session.close();
  }
}

function progressOf(context: CliContext, path: string): (count: number) => void {
  return (count) => {
    if (context.isTerminal && count % 100 === 0)
      context.stderr.write(`\r\u001b[K${JSON.stringify(path)}: ${count} compared`);
  };
}

const tableRow = (row: VerifyRow, isDeep: boolean) => ({
  emfdid: row.emfdid,
  path: row.path,
  server: row.serverCount,
  stored: row.storedCount,
  held: row.heldCount,
  quarantined: row.quarantinedCount,
  excluded: row.excludedCount,
  pending: row.pendingCount,
  difference: row.difference,
  ...(isDeep ? deepColumns(row.deep) : {}),
});

const deepColumns = (deep: DeepResult | null) => ({
  missing: deep?.missing.length,
  invented: deep?.invented.length,
  wrong_flags: deep?.wrongFlags.length,
  wrong_bytes: deep?.wrongBytes.length,
});
