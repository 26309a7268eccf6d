/**
 * The file of the key that secrets are sealed with, and its replacement. A key is written whole or not at all, readable for its
 * owner alone. While keys change there are two: FILE seals, FILE.old still opens what it sealed. Each step below is durable
 * before the next begins, and all secrets can be read after any of them. Throws `secret_key_unsafe` when others can read a key
 * file, `secret_unreadable` when it is missing or damaged.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../base/errors.ts';
import { syncFolderOf } from '../base/whole-file.ts';

const keyBytes = 32;

export const oldKeyFile = (file: string): string => `${file}.old`;
const newKeyFile = (file: string): string => `${file}.new`;

/** Called after each durable step; the crash tests end the process there. */
export type Step = () => void;

export function readOrCreateKey(file: string): Buffer {
  if (!existsSync(file)) createKey(file);
  return readKey(file);
}

/** Whole or not at all: written beside, then linked to its name. Of two starters one creates, the other reads. */
function createKey(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    writeDurably(beside, randomBytes(keyBytes));
    linkSync(beside, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(beside, { force: true });
  }
}

function writeDurably(file: string, bytes: Buffer): void {
  const handle = openSync(file, 'wx', 0o600);
  try {
    writeSync(handle, bytes);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

export function readKey(file: string): Buffer {
  try {
    refuseUnsafe(file);
    const key = readFileSync(file);
    if (key.length !== keyBytes) throw unreadable(`${file} holds ${key.length} bytes, expected ${keyBytes}`);
    return key;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw unreadable(`${file} is missing`, error);
    if (hasCode(error, 'EACCES')) throw unreadable(`${file} belongs to another user`, error);
    throw error;
  }
}

/** Differs whenever another key may be in the file. Empty: no file. */
export function versionOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.ino}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.size}` : '';
}

/** Windows has no such bits; there the folder's access list decides. */
function refuseUnsafe(file: string): void {
  const mode = statSync(file).mode & 0o777;
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw new EngineError('secret_key_unsafe', `${file} has mode 0${mode.toString(8)}`);
}

/**
 * A new key takes FILE's name, the key so far becomes FILE.old. A change that was cut off goes on where it was: what is found
 * tells how far it came. Only one process may be here: the caller holds the store's write lock. False: FILE.old was there
 * already, so its secrets are still to be sealed anew, and the key is not changed once more.
 */
export function swapKey(file: string, step: Step): boolean {
  const old = oldKeyFile(file);
  if (existsSync(old) && !readKey(old).equals(readKey(file))) return false;
  readOrCreateKey(file);
  createKey(newKeyFile(file));
  syncFolderOf(file);
  step();
  if (!existsSync(old)) linkSync(file, old);
  syncFolderOf(file);
  step();
  renameSync(newKeyFile(file), file);
  syncFolderOf(file);
  step();
  return true;
}

/** Only when nothing is sealed with it any more. */
export function dropOldKeyFile(file: string): void {
  rmSync(oldKeyFile(file), { force: true });
  syncFolderOf(file);
}

/** No account's trouble: as soon as the file is right, all go on. */
const unreadable = (detail: string, cause?: unknown): EngineError =>
  new EngineError('secret_unreadable', detail, { cause, scope: 'process' });

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
