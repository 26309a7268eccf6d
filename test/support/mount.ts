/** A tmpfs for a test, where the system lets us have one (root only). */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Says why not, once for each file that asks. */
export function canMount(): boolean {
  const reason = whyNot();
  if (reason !== null) console.warn(`left out: no tmpfs can be mounted here (${reason})`);
  return reason === null;
}

function whyNot(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root';
  const place = mkdtempSync(join(tmpdir(), 'backproc-mount-'));
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', place]);
  if (status === 0) execFileSync('umount', [place]);
  rmSync(place, { recursive: true });
  return status === 0 ? null : String(stderr);
}

/** `work` with a tmpfs of this size mounted at `folder`; unmounted whatever happens. */
export async function withTmpfs<T>(folder: string, size: string, work: () => Promise<T> | T): Promise<T> {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  try {
    return await work();
  } finally {
    execFileSync('umount', ['--lazy', folder]);
  }
}

export const resizeTmpfs = (folder: string, size: string): unknown =>
  execFileSync('mount', ['-o', `remount,size=${size}`, folder]);
