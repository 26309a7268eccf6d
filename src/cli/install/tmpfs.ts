/**
 * The data folder as a RAM disk: two lines of /etc/fstab, ours by the comment above the entry. Pure. A tmpfs forgets owner and
 * mode at every boot, so they stand in the options. Nothing else of the file is changed by a byte.
 */
import { markerOf } from './facts.ts';
import { fstabField } from './quoting.ts';

export interface TmpfsFacts {
  readonly configFile: string;
  readonly dataFolder: string;
  readonly uid: number;
  readonly gid: number;
  /** As mount takes it: `128M`. */
  readonly size: string;
}

/** setgid: new files belong to the application's group. */
const mode = '2770';

export function fstabEntry({ dataFolder, uid, gid, size }: TmpfsFacts): string {
  const options = `rw,noatime,nosuid,nodev,noexec,mode=${mode},uid=${uid},gid=${gid},size=${size}`;
  return `tmpfs ${fstabField(dataFolder)} tmpfs ${options} 0 0`;
}

const comment = (facts: TmpfsFacts): string => `# ${markerOf('tmpfs', facts.configFile)}`;

/** With our entry, in its place if it has one; the order of mounts can matter. */
export function withEntry(fstab: string, facts: TmpfsFacts): string {
  const lines = fstab.split('\n');
  const ours = lines.indexOf(comment(facts));
  if (ours !== -1) return lines.toSpliced(ours + 1, 1, fstabEntry(facts)).join('\n');
  const end = fstab === '' || fstab.endsWith('\n') ? '' : '\n';
  return `${fstab}${end}${comment(facts)}\n${fstabEntry(facts)}\n`;
}

/** Without our comment and the line below it. */
export function withoutEntry(fstab: string, facts: TmpfsFacts): string {
  const lines = fstab.split('\n');
  const ours = lines.indexOf(comment(facts));
  return ours === -1 ? fstab : lines.toSpliced(ours, 2).join('\n');
}

/** A line of somebody else's that mounts something there. */
export function foreignEntry(fstab: string, facts: TmpfsFacts): string | undefined {
  const place = fstabField(facts.dataFolder);
  return withoutEntry(fstab, facts)
    .split('\n')
    .find((line) => !line.trimStart().startsWith('#') && line.trim().split(/\s+/)[1] === place);
}
