/** A file appears under its name only when it is complete and on the disk: written beside, synced, then put in place. */
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

export interface FileOwner {
  readonly mode: number;
  /** As it is made when absent: the process's own. */
  readonly uid?: number;
  readonly gid?: number;
}

/** Replaces what is there. */
export function writeWhole(file: string, text: string | Uint8Array, { mode, uid, gid }: FileOwner): void {
  const beside = `${file}.${process.pid}.new`;
  try {
    const fd = openSync(beside, 'wx', mode);
    try {
      writeFileSync(fd, text);
      // Whatever the umask says: cron reads no file that the group can write.
      fchmodSync(fd, mode);
      if (uid !== undefined && gid !== undefined) fchownSync(fd, uid, gid);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  syncFolderOf(file);
}

/** Gives a complete file its name; throws EEXIST when the name is taken, also when that happened just now. */
export function putInPlace(part: string, file: string): void {
  syncFile(part);
  try {
    linkSync(part, file);
    rmSync(part);
  } catch (error) {
    // FAT and some network shares have no hard links.
    if (existsSync(file)) throw error;
    renameSync(part, file);
  }
  syncFolderOf(file);
}

function syncFile(file: string): void {
  const fd = openSync(file, 'r+');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A name is durable when its folder is. Windows cannot open folders; NTFS keeps a journal of them. */
export function syncFolderOf(file: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(dirname(file), 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
