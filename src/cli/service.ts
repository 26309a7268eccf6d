/** `start`, `stop`, `restart` and `reload`: the engine as a service, with or without a service manager. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { LoadedConfig } from '../config/load.ts';
import { storeFile } from '../config/store-location.ts';
import type { ReloadResult } from '../engine/control/orders.ts';
import type { HolderRecord } from '../engine/launch/holder.ts';
import type { CliContext } from './context.ts';
import { dropPrivileges } from './run-as.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('start')
    .description('start the engine in the background; it ends with `stop`')
    .action(() => start(context));
  program
    .command('stop')
    .description(
      'end the engine, or a single command in its place: it finishes what it is sending (BACKPROC_STOP_GRACE_SECONDS), then it is ended hard',
    )
    .option('--hard', 'do not wait: nothing is lost, but work under way is done again')
    .action((options: { hard?: boolean }) => stop(context, options.hard === true));
  program
    .command('restart')
    .description('stop, then start')
    .action(async () => {
      await stop(context, false);
      await start(context);
    });
  program
    .command('reload')
    .description('make the engine read its configuration again')
    .action(() => reload(context));
}

/** A first start makes the database, and an upgrade migrates it. */
const startMsMax = 60_000;
/** For a `sync` of what has changed; a first one takes hours, and nobody should wait for it unawares. */
const commandMsMax = 60_000;
const lookMs = 100;

async function holderOf({ config }: LoadedConfig): Promise<HolderRecord | undefined> {
  const { lookAtHolder } = await import('../engine/launch/look-at-holder.ts');
  return lookAtHolder(storeFile(config))?.record;
}

async function start(context: CliContext): Promise<void> {
  const loaded = await context.loadConfig();
  dropPrivileges(loaded.config);
  const before = await holderOf(loaded);
  if (before?.control) return context.say(`already running as process ${before.pid}`);
  if (before) await awaitCommand(context, before);
  const folder = mkdtempSync(join(tmpdir(), 'backproc-start-'));
  const errors = join(folder, 'stderr');
  try {
    const { pid, ended } = launchDetached(context, loaded.file, errors);
    const endMs = performance.now() + startMsMax;
    while (performance.now() < endMs) {
      const code = await Promise.race([ended, wait(lookMs)]);
      const holder = await holderOf(loaded);
      if (holder && holder.pid === pid && (await isReady(holder))) return context.say(`running as process ${pid}`);
      if (code !== undefined && holder?.control) return context.say(`already running as process ${holder.pid}`);
      if (code !== undefined && holder) throw commandHolds(holder);
      if (code !== undefined) throw new EngineError('engine_unreachable', readFileSync(errors, 'utf8').trim());
    }
    context.say(`process ${pid} is still preparing the store; see \`backproc status\``);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A single command holds the lock as an engine does: beside it none can start. */
async function awaitCommand(context: CliContext, holder: HolderRecord): Promise<void> {
  const { isAlive } = await import('../engine/launch/holder.ts');
  context.stderr.write(`backproc: waiting for process ${holder.pid}, a single command, to end\n`);
  if (!(await hasEndedWithin(() => !isAlive(holder), commandMsMax))) throw commandHolds(holder);
}

const commandHolds = ({ pid }: HolderRecord): EngineError =>
  new EngineError('locked', `No engine was started: process ${pid} holds it for a single command.`);

/** It answers once the store is open. */
async function isReady({ control }: HolderRecord): Promise<boolean> {
  if (control === null) return false;
  const { giveOrder } = await import('../engine/control/give-order.ts');
  return giveOrder(control, { order: 'status' }).then(
    () => true,
    () => false,
  );
}

function launchDetached(
  context: CliContext,
  configFile: string | null,
  errors: string,
): { pid: number | undefined; ended: Promise<number> } {
  const stderr = openSync(errors, 'w');
  const config = configFile === null ? [] : ['--config', configFile];
  const child = spawn(process.execPath, [join(context.installFolder, 'dist/main.js'), 'run', ...config], {
    cwd: context.cwd,
    detached: true,
    stdio: ['ignore', 'ignore', stderr],
  });
  closeSync(stderr);
  child.unref();
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (code) => resolve(code ?? 1));
    child.once('error', () => resolve(1));
  });
  return { pid: child.pid, ended };
}

async function stop(context: CliContext, isHard: boolean): Promise<void> {
  const loaded = await context.loadConfig();
  const holder = await holderOf(loaded);
  if (!holder) return context.say('not running');
  const { isAlive } = await import('../engine/launch/holder.ts');
  const graceMs = isHard ? 0 : loaded.config.BACKPROC_STOP_GRACE_SECONDS * 1000;
  const isTold = isHard || (await askToStop(holder));
  if (isHard) context.say(`ending process ${holder.pid}`);
  else if (isTold) context.say(`process ${holder.pid} finishes what it is sending`);
  else context.say(`process ${holder.pid} does not answer: it is ended hard in ${graceMs / 1000} s`);
  if (await hasEndedWithin(() => !isAlive(holder), graceMs)) return context.say('stopped');
  signal(holder, 'SIGKILL');
  if (await hasEndedWithin(() => !isAlive(holder), killMs)) return context.say('stopped hard');
  throw new EngineError('engine_unreachable', `process ${holder.pid} does not end`);
}

const killMs = 10_000;

/** By order where it takes orders, else by signal: both end it gracefully. False: it takes orders, and is silent. */
async function askToStop(holder: HolderRecord): Promise<boolean> {
  const { giveOrder } = await import('../engine/control/give-order.ts');
  const isTold =
    holder.control !== null &&
    (await giveOrder(holder.control, { order: 'stop' }).then(
      () => true,
      () => false,
    ));
  if (!isTold) signal(holder, 'SIGTERM');
  return isTold || holder.control === null;
}

function signal(holder: HolderRecord, name: NodeJS.Signals): void {
  try {
    process.kill(holder.pid, name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return;
    throw new EngineError('engine_unreachable', `process ${holder.pid} can't be signalled: it is another user's`, {
      cause: error,
    });
  }
}

async function hasEndedWithin(hasEnded: () => boolean, ms: number): Promise<boolean> {
  const endMs = performance.now() + ms;
  while (!hasEnded()) {
    if (performance.now() >= endMs) return false;
    await wait(lookMs);
  }
  return true;
}

async function reload(context: CliContext): Promise<void> {
  const loaded = await context.loadConfig();
  const holder = await holderOf(loaded);
  if (!holder?.control) throw new EngineError('engine_not_running', `on ${storeFile(loaded.config)}`);
  const { giveOrder } = await import('../engine/control/give-order.ts');
  const result = (await giveOrder(holder.control, { order: 'reload' })) as ReloadResult;
  if (result.changed.length > 0 || result.needsRestart.length === 0)
    context.say(result.changed.length === 0 ? 'nothing changed' : `changed: ${result.changed.join(', ')}`);
  if (result.needsRestart.length > 0)
    context.print(`taken at the next start only: ${result.needsRestart.join(', ')} (\`backproc restart\`)`);
}
