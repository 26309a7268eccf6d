/**
 * The steps of E12 that are safe: folders, owners and modes, what a dead engine left behind, a damaged job database. A live
 * engine keeps its lock all the while: what would touch it is done only under that lock. Every step says what it did.
 */
import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync, rmSync } from 'node:fs';
import type { Config } from '../../config/schema.ts';
import { storeFile } from '../../config/store-location.ts';
import { lockFileOf } from '../../engine/launch/holder.ts';
import { acquireLock } from '../../engine/launch/lock.ts';
import { writableFolders } from '../install/gather.ts';
import { makeFolder } from '../install/owned-file.ts';
import { engineFiles, lookAtJobState, lookAtLock } from './look.ts';
import { type Owner, planRepairs, type Repair } from './permissions.ts';
import { entriesOf } from './places.ts';

/** What was done, and what could not be, in words. */
export async function repair(config: Config, owner: Owner, version: string): Promise<string[]> {
  const folders = writableFolders(config).flatMap((folder) =>
    attempt(`made ${folder}`, () => makeFolder(folder, owner, 0o2770)),
  );
  const modes = planRepairs(entriesOf(config), owner).flatMap((one) =>
    attempt(`${one.path}: mode ${one.mode.toString(8)}, ${owner.user}:${owner.group}`, () => setMode(one)),
  );
  return [...folders, ...modes, ...(await cleanUp(config, version))];
}

/** `work` returns false when there was nothing to do. */
function attempt(what: string, work: () => boolean): string[] {
  try {
    return work() ? [what] : [];
  } catch (error) {
    return [`not done: ${what} (${error instanceof Error ? error.message : String(error)}; run it as root)`];
  }
}

/**
 * By descriptor, following no link: the folders are writable for a group, and root must not be led elsewhere. A file with a
 * second name may be somebody else's.
 */
function setMode({ path, mode, uid, gid }: Repair): boolean {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (stats.isFile() && stats.nlink > 1) throw new Error('it has another name as well');
    if (stats.uid !== uid || stats.gid !== gid) fchownSync(fd, uid, gid);
    // After chown, which takes setgid away.
    fchmodSync(fd, mode);
    return true;
  } finally {
    closeSync(fd);
  }
}

async function cleanUp(config: Config, version: string): Promise<string[]> {
  const damaged = (await lookAtJobState(config)).state === 'damaged';
  const { isHeld, leftovers } = await lookAtLock(config, version);
  if (isHeld) return damaged ? ['not done: the job database is left to the engine that is at work'] : [];
  if (!damaged && leftovers.length === 0) return [];
  const lock = await acquireLock(lockFileOf(storeFile(config)));
  if (!lock) return ['not done: an engine has just begun'];
  try {
    const { file } = await lookAtJobState(config);
    const jobFiles = damaged ? ['', '-journal', '-wal', '-shm'].map((suffix) => `${file}${suffix}`) : [];
    return [...engineFiles(config).filter((one) => leftovers.includes(one)), ...jobFiles].flatMap((one) =>
      attempt(`removed ${one}`, () => removeFile(one)),
    );
  } finally {
    lock.release();
  }
}

function removeFile(file: string): boolean {
  try {
    rmSync(file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
