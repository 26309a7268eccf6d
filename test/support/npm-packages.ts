/** npm packages that only `npm run test:interop` needs: installed beside the others, in a folder that `npm ci` sweeps away. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const cacheFolder = join(import.meta.dirname, '../../node_modules/.cache/backproc-interop');

/** `load` of a package that is CommonJS. Throws with npm's reason when it can't be had. */
export function installPackage(name: string, version: string): (path: string) => unknown {
  const folder = join(cacheFolder, `npm-${name}`);
  if (!existsSync(join(folder, 'node_modules', name))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }));
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${version}`];
    execFileSync('npm', args, { cwd: folder, stdio: 'pipe', timeout: 300_000 });
  }
  return createRequire(join(folder, 'package.json'));
}
