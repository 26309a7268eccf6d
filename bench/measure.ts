/** Runs a program under /usr/bin/time: what it took, with all its children. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Measure {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Of the largest single process. */
  readonly peakMib: number;
}

export async function measure(program: string, args: readonly string[], cwd: string): Promise<Measure> {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-bench-time-'));
  const file = join(folder, 'time');
  const child = spawn('/usr/bin/time', ['-o', file, '-f', '%e %U %S %M', program, ...args], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const [wall = 0, user = 0, system = 0, kib = 0] = (readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '')
    .split(' ')
    .map(Number);
  rmSync(folder, { recursive: true });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${errors.slice(0, 2000)}`);
  return { wallSeconds: wall, cpuSeconds: user + system, peakMib: kib / 1024 };
}

/** The middle one by wall time. */
export function median(measures: readonly Measure[]): Measure {
  const sorted = measures.toSorted((a, b) => a.wallSeconds - b.wallSeconds);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (!middle) throw new Error('nothing was measured');
  return middle;
}
