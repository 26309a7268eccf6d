/** Folders of ours: the application's group works in them, too, and nobody else. */
import { chmodSync, mkdirSync } from 'node:fs';

/** Made where it is missing, as 2770: by setgid, files that either makes are the group's. One that is there is left as it is. */
export function makeOwnFolder(folder: string): void {
  if (mkdirSync(folder, { recursive: true, mode: 0o770 }) === undefined) return;
  try {
    chmodSync(folder, 0o2770);
  } catch {
    // A sandbox may forbid setgid (RestrictSUIDSGID of systemd); it stays 0770.
  }
}
