/** `sync ACNTID [PATH…]`: now, whatever the intervals and the backoff say. */
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { EngineError } from '../base/errors.ts';
import type { PassReport, Progress, Scope } from '../sync/pass.ts';
import { accountOf } from './account-list.ts';
import { cliCredentials } from './cli-credentials.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { type AtWork, exitCodeOfReports, firstError, type PassesResult, runPasses, summary } from './passes.ts';
import { createProgressDisplay } from './progress-display.ts';
import { formatTable } from './table.ts';

interface Options {
  readonly full?: boolean;
  readonly refetch?: boolean;
  readonly dryRun?: boolean;
  readonly debug?: boolean;
  readonly json?: boolean;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('sync <acntid> [path...]')
    .description('synchronise all folders of an account, or those named, now')
    .option('--full', 'compare every UID and flag, also where nothing seems to have changed')
    .option('--refetch', 'fetch every message again, and replace those whose bytes are not the stored ones')
    .option('--dry-run', 'show what would be done; nothing is fetched or written')
    .option('--json', 'print the result as JSON')
    .action((acntid: string, paths: string[], options: Options) =>
      sync(context, numberArgument('ACNTID')(acntid), paths, options),
    );
}

async function sync(context: CliContext, acntid: number, paths: readonly string[], options: Options): Promise<void> {
  const pass = options.refetch ? 'refetch' : options.full ? 'full' : 'recent';
  const scope: Scope = { kind: 'command', pass, paths };
  if (options.dryRun) return dryRun(context, acntid, scope, options.json === true);
  const result = await passOrOrder(context, acntid, scope, options);
  if (options.json) context.print(JSON.stringify(result.reports[0], null, 2));
  else context.say(summary(result));
  const trouble = firstError(result.reports);
  if (trouble !== null) context.stderr.write(`backproc: ${trouble}\n`);
  context.setExitCode(exitCodeOfReports(result.reports));
}

/** An engine that has just begun opens its store first. */
const listenMs = 10_000;

/** By the engine where one runs: it has the account's connection, and is its only writer. */
async function passOrOrder(context: CliContext, acntid: number, scope: Scope, options: Options): Promise<PassesResult> {
  const startedMs = performance.now();
  await context.withStore((store) => accountOf(store, acntid));
  const result = await runPasses(context, {
    isDebug: options.debug === true,
    isRun: false,
    findWork: () => Promise.resolve([{ acntid, scope }]),
  });
  if (!('holder' in result)) return result;
  if (!result.holder?.control) throw lockedError(result);
  const { giveOrder } = await import('../engine/control/give-order.ts');
  const display = context.isTerminal ? createProgressDisplay(context.stdout) : null;
  const order = { order: 'sync', acntid, scope };
  const onProgress = (value: unknown): void => display?.progress(value as Progress);
  const report = (await giveOrder(result.holder.control, order, { onProgress, listenMs })) as PassReport;
  display?.report(report);
  display?.clear();
  return { reports: [report], sentCount: 0, seconds: (performance.now() - startedMs) / 1000 };
}

const lockedError = ({ holder }: AtWork): EngineError =>
  new EngineError('locked', holder === null ? '' : `It is process ${holder.pid}.`);

async function dryRun(context: CliContext, acntid: number, scope: Scope, isJson: boolean): Promise<void> {
  const rows = await context.withStore(async (store) => {
    const { forecast } = await import('../sync/forecast.ts');
    const ports = { store, clock: systemClock, credentialsOf: await cliCredentials(context, store) };
    return forecast(ports, await accountOf(store, acntid), scope);
  });
  context.print(isJson ? JSON.stringify(rows, null, 2) : formatTable(rows));
}
