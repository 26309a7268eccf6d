/**
 * Files of the system that are ours by their marker: written whole or not at all, never over somebody else's, removed only when
 * ours. Throws `install_foreign`, and `install_denied` where only the administrator may write.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../../base/errors.ts';
import { writeWhole } from '../../base/whole-file.ts';
import { installationIn } from './facts.ts';

export interface OwnedFile {
  readonly path: string;
  readonly kind: string;
  readonly configFile: string;
  readonly mode: number;
}

/** False: it was there already, word for word. */
export function writeOwned(file: OwnedFile, text: string): boolean {
  return asAdministrator(file.path, () => {
    const present = ownedText(file);
    if (present === text && (statSync(file.path).mode & 0o777) === file.mode) return false;
    mkdirSync(dirname(file.path), { recursive: true, mode: 0o755 });
    writeWhole(file.path, text, { mode: file.mode });
    return true;
  });
}

/** False: there is none. */
export const isOwned = (file: OwnedFile): boolean => asAdministrator(file.path, () => ownedText(file) !== null);

export function removeOwned(file: OwnedFile): void {
  asAdministrator(file.path, () => {
    if (isOwned(file)) rmSync(file.path);
  });
}

function ownedText({ path, kind, configFile }: OwnedFile): string | null {
  if (!existsSync(path)) return null;
  const text = readFileSync(path, 'utf8');
  const installation = installationIn(text, kind);
  if (installation === configFile) return text;
  throw new EngineError('install_foreign', installation === null ? path : `${path} is made for ${installation}`);
}

/** A shared file of the system: its owner and mode stay. Where there is none (below --root) it is made. */
export function rewrite(path: string, text: string): void {
  asAdministrator(path, () => {
    if (!existsSync(path)) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      return writeWhole(path, text, { mode: 0o644 });
    }
    const { mode, uid, gid } = statSync(path);
    writeWhole(path, text, { mode: mode & 0o7777, uid, gid });
  });
}

/** Made where missing, with owner and mode; those that are there stay as they are. */
export function makeFolder(path: string, owner: { readonly uid: number; readonly gid: number }, mode: number): boolean {
  return asAdministrator(path, () => {
    if (existsSync(path)) return false;
    mkdirSync(path, { recursive: true });
    chown(path, owner);
    // After chown, which takes setgid away.
    chmodSync(path, mode);
    return true;
  });
}

function chown(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  const stats = statSync(path);
  if (stats.uid !== uid || stats.gid !== gid) chownSync(path, uid, gid);
}

function asAdministrator<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      throw new EngineError('install_denied', `${path} cannot be written.`, { cause: error });
    throw error;
  }
}
