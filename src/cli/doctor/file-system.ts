/** What statfs(2) tells of a folder. Thin: no judgement. */
import { existsSync, statfsSync } from 'node:fs';

export interface Room {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** `tmpfs`, `ext4`, `nfs`…; null on systems whose numbers are not these. */
  readonly fileSystem: string | null;
}

/** statfs(2), f_type. */
const names: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'tmpfs'],
  [0x6969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb'],
  [0x517b, 'smb'],
  [0x01021997, '9p'],
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlay'],
  [0x2fc12fc1, 'zfs'],
]);
const networks = ['nfs', 'cifs', 'smb'];

/** Null: there is no such folder. */
export function roomOf(folder: string): Room | null {
  if (!existsSync(folder)) return null;
  const { bavail, blocks, bsize, type } = statfsSync(folder);
  const name = names.get(type >>> 0) ?? `file system ${(type >>> 0).toString(16)}`;
  return {
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    fileSystem: process.platform === 'linux' ? name : null,
  };
}

export const networkOf = ({ fileSystem }: Room): string | null =>
  fileSystem !== null && networks.includes(fileSystem) ? fileSystem : null;
