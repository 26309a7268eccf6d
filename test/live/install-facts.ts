/** Facts of an installation on this machine, for texts that its own programs judge. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { InstallFacts } from '../../src/cli/install/facts.ts';
import { mainFile } from '../support/installation.ts';

export const isLinux = process.platform === 'linux';
export const root = join(import.meta.dirname, '../..');
/** What every language has to quote. */
export const odd = `100% "sure" it's $HOME`;

/** A folder for one test file. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-install-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const factsIn = (home: string, more: Partial<InstallFacts> = {}): InstallFacts => ({
  name: 'backproc',
  user: userInfo().username,
  group: execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim(),
  node: process.execPath,
  main: mainFile,
  installFolder: root,
  configFile: join(home, 'config.json'),
  writable: ['store', 'data', 'logs', 'pid'].map((name) => join(home, name)),
  readable: [],
  dataFolder: join(home, 'data'),
  stopGraceSeconds: 600,
  memoryLimitMb: 1024,
  webPort: 8025,
  ...more,
});
