/** What cron pays every five minutes: a launch beside a running engine, against an empty Node process, alternating in one run. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { startEngine } from '../test/support/engine-process.ts';
import { createInstallation, mainFile } from '../test/support/installation.ts';

export interface LaunchResult {
  /** Medians, ms of wall time. */
  readonly emptyMs: number;
  readonly launchMs: number;
  readonly ratio: number;
}

const rounds = 30;

export async function benchLaunch(): Promise<LaunchResult> {
  const installation = createInstallation();
  const engine = await startEngine(installation);
  const config = join(installation.folder, 'config.json');
  const [empty, launch]: number[][] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    empty?.push(await timeOf(['-e', '0']));
    launch?.push(await timeOf([mainFile, 'run', '--config', config]));
  }
  await engine.stop();
  installation.remove();
  const [emptyMs, launchMs] = [medianOf(empty ?? []), medianOf(launch ?? [])];
  return { emptyMs, launchMs, ratio: launchMs / emptyMs };
}

async function timeOf(args: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [...args], { stdio: 'ignore' });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${String(code)}`);
  return performance.now() - startedMs;
}

const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export const launchTable = ({ emptyMs, launchMs, ratio }: LaunchResult): string =>
  `| empty Node | launch beside an engine | ratio | goal |\n|---|---|---|---|\n| ${emptyMs.toFixed(0)} ms | ${launchMs.toFixed(0)} ms | ${ratio.toFixed(2)} | < 2 ${ratio < 2 ? 'met' : '**missed**'} |`;
