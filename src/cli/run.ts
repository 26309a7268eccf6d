/** `run --once`: what is due now, once. The line for cron. */
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { EngineError } from '../base/errors.ts';
import type { CliContext } from './context.ts';
import { firstError, runPasses, summary } from './passes.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('run')
    .description('synchronise what is due, then end (with --once); made to be launched by cron')
    .option('--once', 'end when what was due at the start is done')
    .action((options: { once?: boolean; debug?: boolean }) => run(context, options));
}

async function run(context: CliContext, options: { once?: boolean; debug?: boolean }): Promise<void> {
  if (options.once !== true) throw new EngineError('usage', 'This version runs by cron: backproc run --once.');
  const result = await runPasses(context, {
    isDebug: options.debug === true,
    findWork: async ({ store }) => {
      const { config } = await context.loadConfig();
      const { findDue } = await import('../engine/due.ts');
      return findDue(store, config, systemClock);
    },
  });
  if ('holder' in result) return context.say('an engine is at work already');
  context.say(summary(result));
  const trouble = firstError(result.reports);
  if (trouble !== null) context.say(`in trouble, tried again later: ${trouble}`);
}
