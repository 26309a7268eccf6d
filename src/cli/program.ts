/** The command tree. Each command's file registers itself; failures become one line on stderr and an exit code here. */
import { Command, CommanderError } from 'commander';
import { asEngineError, catalogue, type EngineError } from '../base/errors.ts';
import { register as accountAdd } from './account-add.ts';
import { register as accountExport } from './account-export.ts';
import { register as accountImport } from './account-import.ts';
import { register as accountList } from './account-list.ts';
import { register as accountRemove } from './account-remove.ts';
import { register as accountSet } from './account-set.ts';
import { register as accountTest } from './account-test.ts';
import { register as config } from './config.ts';
import type { CliContext } from './context.ts';
import { register as db } from './db.ts';
import { register as docs } from './docs.ts';
import { register as doctor } from './doctor.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';
import { register as explain } from './explain.ts';
import { register as folder } from './folder.ts';
import { register as install } from './install.ts';
import { register as log } from './log.ts';
import { register as message } from './message.ts';
import { register as outbox } from './outbox.ts';
import { register as presence } from './presence.ts';
import { register as run } from './run.ts';
import { register as search } from './search.ts';
import { register as secrets } from './secrets.ts';
import { register as service } from './service.ts';
import { register as status } from './status.ts';
import { register as sync } from './sync.ts';
import { register as verify } from './verify.ts';

export function createProgram(context: CliContext): Command {
  const program = new Command('backproc')
    .description('Keeps complete copies of IMAP mailboxes in a SQL database.')
    .version(context.version, '--version')
    .option('--config <file>', 'configuration file (else BACKPROC_CONFIG, the current folder, the install folder)')
    .option('--debug', 'on failure, print where it came from')
    .showSuggestionAfterError()
    .hook('preAction', (_, command) => {
      context.configFile = command.optsWithGlobals<{ config?: string }>().config;
    });
  run(program, context);
  service(program, context);
  status(program, context);
  sync(program, context);
  verify(program, context);
  const account = program
    .command('account')
    .description('accounts: add, list, show, test, set, enable, disable, remove, export, import');
  for (const register of [
    accountAdd,
    accountList,
    accountTest,
    accountSet,
    accountRemove,
    accountExport,
    accountImport,
  ])
    register(account, context);
  for (const register of [
    folder,
    message,
    search,
    outbox,
    explain,
    presence,
    log,
    config,
    secrets,
    db,
    install,
    doctor,
    docs,
  ])
    register(program, context);
  prepare(program, context);
  return program;
}

/** Every command takes the global options and throws instead of ending the process. */
function prepare(command: Command, context: CliContext): void {
  command.exitOverride().configureOutput({
    writeErr: (text) => void context.stderr.write(text),
    writeOut: (text) => void context.stdout.write(text),
  });
  for (const child of command.commands) {
    child.option('--config <file>', 'configuration file');
    child.option('--debug', 'on failure, print where it came from');
    prepare(child, context);
  }
}

export async function runProgram(context: CliContext, argv: readonly string[]): Promise<void> {
  try {
    await createProgram(context).parseAsync([...argv]);
  } catch (error) {
    context.setExitCode(report(context, error, argv.includes('--debug')));
  }
}

/** commander has printed its own message; ours is one line: what happened, what to do. */
function report(context: CliContext, error: unknown, withStack: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  const failure = asEngineError(error);
  context.stderr.write(`backproc: ${failureLine(failure)}\n`);
  if (withStack) context.stderr.write(`${failure.stack ?? ''}\n`);
  return exitCodeOf(failure.code);
}

export function failureLine(failure: EngineError): string {
  const { meaning, action } = catalogue[failure.code];
  return failure.code === 'usage' ? `${failure.detail}` : `${meaning} ${failure.detail} (${action})`;
}
