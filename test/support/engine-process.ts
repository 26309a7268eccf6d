/** A running engine of a test: the real process, started as cron would, and what it says of itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { EngineStatus } from '../../src/engine/control/status.ts';
import { type Installation, mainFile } from './installation.ts';

export interface EngineProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  status(): Promise<EngineStatus>;
  stop(): Promise<number | null>;
}

/** Resolves once it answers `status`. */
export async function startEngine(installation: Installation): Promise<EngineProcess> {
  const child = spawn(process.execPath, [mainFile, 'run', '--config', join(installation.folder, 'config.json')], {
    cwd: installation.folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const engine: EngineProcess = {
    child,
    ended,
    async status() {
      const { stdout, code } = await installation.command('status', '--json');
      if (code === 3) throw new Error(`not running: ${errors}`);
      return JSON.parse(stdout) as EngineStatus;
    },
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`the engine ended with ${child.exitCode}: ${errors}`);
    return (await engine.status().catch(() => null))?.upSeconds !== undefined;
  });
  return engine;
}

/** Waits for a condition, not for a time; gives up after `msMax`. */
export async function until(isTrue: () => Promise<boolean> | boolean, msMax = 30_000): Promise<void> {
  const endMs = performance.now() + msMax;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`still not so after ${msMax} ms: ${isTrue.toString()}`);
    await wait(20);
  }
}

/** All of today's log, of one kind. */
export function logText({ folder }: Installation, kind: 'info' | 'threading-error' = 'info'): string {
  const logs = join(folder, 'logs');
  if (!existsSync(logs)) return '';
  return readdirSync(logs)
    .filter((file) => file.endsWith(`${kind}.log`))
    .map((file) => readFileSync(join(logs, file), 'utf8'))
    .join('');
}
