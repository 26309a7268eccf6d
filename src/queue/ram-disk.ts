/** Does a folder lie on a RAM disk? Only Linux tells. */
import { statfsSync } from 'node:fs';

/** statfs(2): tmpfs, ramfs, and hugetlbfs, which nobody would use for this. */
const ramDiskTypes: readonly number[] = [0x01021994, 0x858458f6];

/** Null: this system does not say, or there is no such folder. */
export function isRamDisk(folder: string): boolean | null {
  if (process.platform !== 'linux') return null;
  try {
    return ramDiskTypes.includes(statfsSync(folder).type);
  } catch {
    return null; // no such folder: what needs it will say so
  }
}
