/**
 * Programs of Debian packages that can't be installed beside each other (every IMAP server conflicts with every other): fetched
 * by apt-get download and unpacked into a folder of this clone. Nothing is configured, no service is started.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const cacheFolder = join(import.meta.dirname, '../../node_modules/.cache/backproc-interop');

export interface Unpacked {
  readonly root: string;
  /** For the programs' own libraries; the system's come after them. */
  readonly env: Readonly<Record<string, string>>;
}

/** Throws with the reason when the packages can't be had here. */
export function unpackPackages(name: string, packages: readonly string[]): Unpacked {
  const root = join(cacheFolder, name);
  if (!existsSync(root)) download(root, packages);
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu', 'usr/lib/aarch64-linux-gnu', 'usr/lib'];
  return { root, env: { LD_LIBRARY_PATH: libraries.map((folder) => join(root, folder)).join(':') } };
}

/** Complete or absent: the folder gets its name when everything is in it. */
function download(root: string, packages: readonly string[]): void {
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get')) throw new Error('no Debian packages here');
  mkdirSync(cacheFolder, { recursive: true });
  const folder = mkdtempSync(join(cacheFolder, 'unpacking-'));
  try {
    const fetch = (): Buffer => execFileSync('apt-get', ['download', ...packages], { cwd: folder, stdio: 'pipe' });
    try {
      fetch();
    } catch {
      execFileSync('apt-get', ['update'], { stdio: 'pipe', timeout: 120_000 });
      fetch();
    }
    for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.deb'))) {
      execFileSync('dpkg', ['-x', file, join(folder, 'root')], { cwd: folder });
    }
    renameSync(join(folder, 'root'), root);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
