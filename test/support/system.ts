/** What a test of installed files needs to know of the system it runs on. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export const isRoot = (): boolean => process.getuid?.() === 0;

/** True when it is there; otherwise says what is left out. */
export function hasProgram(path: string, debian: string): boolean {
  if (existsSync(path)) return true;
  console.warn(`left out: ${path} is missing (Debian: ${debian})`);
  return false;
}

/** Private mounts for a child, which end with it: needs root, and a system that lets root have them. */
export function canUnshare(): boolean {
  const reason = !isRoot() ? 'not root' : whyNoNamespace();
  if (reason !== null) console.warn(`left out: no mount namespace here (${reason})`);
  return reason === null;
}

function whyNoNamespace(): string | null {
  const { status, stderr } = spawnSync('unshare', ['--mount', '--propagation', 'private', 'true'], {
    encoding: 'utf8',
  });
  return status === 0 ? null : (stderr ?? 'no unshare').trim();
}

/** An unprivileged user that exists on every Debian, when it can read the program that is tested. */
export const plainUser = 'www-data';
export function plainUserCanRead(...paths: string[]): boolean {
  const test = (path: string): boolean =>
    spawnSync('setpriv', ['--reuid', plainUser, '--clear-groups', 'test', '-r', path]).status === 0;
  const hidden = paths.find((path) => !test(path));
  if (hidden !== undefined) console.warn(`left out: ${plainUser} cannot read ${hidden}`);
  return hidden === undefined;
}
