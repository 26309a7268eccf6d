/** `log [--account N] [--follow]`: today's lines. */
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';

interface Options {
  readonly account?: number;
  readonly follow?: boolean;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('log')
    .description("today's log")
    .option('--account <acntid>', 'only lines of this account', numberArgument('--account'))
    .option('--follow', 'go on with what is written, until interrupted')
    .action((options: Options) => log(context, options));
}

async function log(context: CliContext, options: Options): Promise<void> {
  const { config } = await context.loadConfig();
  const { readLog } = await import('../base/log-read.ts');
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const lines = readLog({
    folder: config.BACKPROC_LOG_LOCATION,
    timeZone: config.BACKPROC_TIME_ZONE,
    clock: systemClock,
    follow: options.follow === true,
    signal: stop.signal,
    ...(options.account === undefined ? {} : { acntid: options.account }),
  });
  for await (const line of lines) context.print(line);
}
