/** `run`: the engine, kept alive by cron or a service manager. `run --once`: what is due now, once. */
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { EngineError, fromErrorRecord } from '../base/errors.ts';
import { isJournal } from '../base/journal.ts';
import type { Config } from '../config/schema.ts';
import type { CliContext } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { firstError, launchOptions, ownFailure, runPasses, summary } from './passes.ts';
import { dropPrivileges } from './run-as.ts';

interface Options {
  readonly once?: boolean;
  readonly debug?: boolean;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('run')
    .description(
      'the engine: synchronise and send, until it is stopped; a second launch does no harm, so cron may keep it alive',
    )
    .option('--once', 'do what is due now, then end')
    .action((options: Options) => (options.once === true ? runOnce(context, options) : run(context, options)));
}

async function runOnce(context: CliContext, options: Options): Promise<void> {
  const result = await runPasses(context, {
    isDebug: options.debug === true,
    isRun: true,
    findWork: async ({ store, config }) => {
      const { findDue } = await import('../engine/due.ts');
      return findDue(store, config, systemClock);
    },
  });
  if ('holder' in result) return context.say('an engine is at work already');
  context.say(summary(result));
  const trouble = firstError(result.reports);
  if (trouble !== null) context.say(`in trouble, tried again later: ${trouble}`);
  const failure = ownFailure(result.reports);
  if (failure !== null) throw fromErrorRecord(failure);
}

async function run(context: CliContext, options: Options): Promise<void> {
  const hangUp = createHangUp();
  const loaded = await context.loadConfig();
  const config = withDebug(loaded.config, options);
  dropPrivileges(config);
  // Whoever launched it may remove the folder it was launched from.
  process.chdir(context.installFolder);
  const { launch } = await import('../engine/launch/launch.ts');
  const { giveOrder } = await import('../engine/control/give-order.ts');
  const launchNotes: string[] = [];
  const answer = await launch({
    ...launchOptions(context, config, launchNotes),
    askToStop: (control) =>
      giveOrder(control, { order: 'stop' }).then(
        () => true,
        () => false,
      ),
  });
  if (answer.kind === 'stuck') throw new EngineError('locked', answer.detail);
  if (answer.kind === 'at-work') return context.say(`an engine is at work already${pidOf(answer.record?.pid)}`);
  const { runEngine } = await import('../engine/run-engine.ts');
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort());
  const end = await runEngine({
    config,
    configFile: loaded.file,
    version: context.version,
    lock: answer.lock,
    launchNotes,
    isJournal: isJournal(context.env.JOURNAL_STREAM),
    loadConfig: async () => withDebug((await context.loadConfig()).config, options),
    stop: stopping.signal,
    onReady: (reload) => {
      hangUp.ready(reload);
      context.say(`running as process ${process.pid}; Ctrl-C stops it`);
    },
    onProblem: (text) => void context.stderr.write(`backproc: ${text}\n`),
    crashAt: Number(context.env.BACKPROC_TEST_CRASH_AT ?? 0),
  });
  if (end.kind === 'broken') context.setExitCode(exitCodes.retry);
}

/** SIGHUP means reload, also while the engine is still opening: its configuration may have been read already. */
function createHangUp(): { ready(reload: () => void): void } {
  let isDue = false;
  let onHangUp = (): void => {
    isDue = true;
  };
  process.on('SIGHUP', () => onHangUp());
  return {
    ready(reload) {
      onHangUp = reload;
      if (isDue) reload();
    },
  };
}

const pidOf = (pid: number | undefined): string => (pid === undefined ? '' : ` (process ${pid})`);

const withDebug = (config: Config, { debug }: Options): Config =>
  debug === true ? { ...config, BG_LOG_LEVEL: 'debug' } : config;
