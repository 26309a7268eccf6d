#!/usr/bin/env node
/**
 * argv in, exit code out. Every command loads what it needs itself, so that `--help` costs little more than Node, and a launch
 * that finds an engine at work costs less still: it ends before the command line is even loaded.
 */
import './base/node-version.ts';
import './base/code-cache.ts';
import { writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

process.umask(0o007);
// A reload that comes before the engine can do it must not end the engine (cli/run.ts). What asks other programs to open their
// log anew (logrotate) must not either, nor open Node's debugger to everybody on this machine, as SIGUSR1 does by itself.
if (process.argv[2] === 'run' && process.platform !== 'win32')
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);
const installFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const { argv, stdin, stdout, stderr, env } = process;
const cwd = currentFolder();

/** The folder may be gone (an upgrade put another in its place): then as the shell names it, for relative paths to fail by name. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return env.PWD ?? installFolder;
  }
}

/** `backproc run …` as cron types it; anything else is for the command line to understand. */
async function isNeedless(): Promise<boolean> {
  const [command, ...options] = argv.slice(2);
  if (command !== 'run' || stdout.isTTY || !areKnown(options)) return false;
  const { isEngineAtWork } = await import('./engine/launch/quick-look.ts');
  return isEngineAtWork({ file: configOption(options), env, cwd, installFolder });
}

/** `--help`, and a slip that would keep the next engine from starting, are for the command line. */
function areKnown(options: readonly string[]): boolean {
  return options.every(
    (option, at) => /^--(once|debug|config|config=.*)$/.test(option) || options[at - 1] === '--config',
  );
}

function configOption(options: readonly string[]): string | undefined {
  const at = options.findIndex((option) => option === '--config' || option.startsWith('--config='));
  const option = at === -1 ? undefined : options[at];
  return option === '--config' ? options[at + 1] : option?.slice('--config='.length);
}

/** A reader that has seen enough (`… | head`) is no failure. */
function endWithoutOutput(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(0);
  writeSync(stderr.fd, `backproc: What was to be printed could not be written: ${error.message}\n`);
  process.exit(75);
}

async function main(): Promise<void> {
  const { createContext } = await import('./cli/context.ts');
  const { runProgram } = await import('./cli/program.ts');
  stdout.on('error', endWithoutOutput);
  await runProgram(createContext({ env, cwd, installFolder, stdin, stdout, stderr }), argv);
}

/** What waits for something that cannot come lets Node end, with 0 and without a word: that must not look like success. */
function tellUnfinished(): void {
  writeSync(stderr.fd, 'backproc: Ended in the middle of its work. This is a defect: please report it.\n');
  process.exitCode = 70;
}

async function start(): Promise<void> {
  process.once('beforeExit', tellUnfinished);
  if (!(await isNeedless())) await main();
  process.off('beforeExit', tellUnfinished);
}

void start();
