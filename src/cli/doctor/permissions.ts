/**
 * Who may read and write what. Pure: modes and owners come in as data, findings and repairs go out as data. Folders and files
 * are the engine's and its group's (the application writes too, E2), nobody else's; the key is the engine's alone.
 */
import { bad, type Finding, ok, warn } from './finding.ts';

export interface Entry {
  readonly path: string;
  /**
   * shared: a folder of the system's, or somebody's home; its mode is not ours to change. missing: a folder that is not there;
   * mode and owner are those of the nearest one above it, in which it would be made. config: the administrator's own file.
   */
  readonly kind: 'folder' | 'shared' | 'missing' | 'file' | 'key' | 'config';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
}

export interface Repair {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const others = 0o007;

/** A /run or /var/log that one group alone may enter stops other programs of the machine. */
const systemFolders = new Set(
  ['/', '/boot', '/dev', '/dev/shm', '/etc', '/home', '/media', '/mnt', '/opt', '/proc', '/root', '/run', '/run/lock']
    .concat(['/srv', '/sys', '/tmp', '/usr', '/usr/local', '/var', '/var/cache', '/var/lib', '/var/log', '/var/mail'])
    .concat(['/var/opt', '/var/spool', '/var/tmp', '/var/www']),
);

/** `path` without links and dots. Homes as well: ssh refuses keys in one that a group may write. */
export const isShared = (path: string): boolean => systemFolders.has(path) || /^\/home\/[^/]+$/.test(path);
/** A name too many would hide the next finding. */
const namedMax = 3;

interface Fault {
  readonly isFaulty: (entry: Entry, owner: Owner) => boolean;
  readonly state: 'warn' | 'bad';
  readonly text: (paths: string, owner: Owner) => string;
  readonly todo: (paths: string, owner: Owner) => string;
  /** `doctor --repair` leaves it alone. */
  readonly isByHand?: true;
}

const isOurs = (kind: Entry['kind']): boolean => kind === 'folder' || kind === 'file' || kind === 'key';

const faults: readonly Fault[] = [
  {
    isFaulty: ({ kind, mode }) => kind === 'key' && (mode & 0o077) !== 0,
    state: 'bad',
    text: (paths) => `others can read the key: ${paths}`,
    todo: (paths) => `chmod 600 ${paths}; if others may have read it, set the passwords again`,
  },
  {
    isFaulty: ({ kind }) => kind === 'shared',
    state: 'warn',
    text: (paths) => `other programs use ${paths}, too: who may look into it is left as it is`,
    todo: () => 'Name a folder in it in the configuration, such as /run/backproc, and let it be backproc’s alone.',
    isByHand: true,
  },
  {
    isFaulty: (entry, owner) => entry.kind === 'missing' && !canMakeIn(entry, owner),
    state: 'bad',
    text: (paths, { user }) => `${user} cannot make ${paths}`,
    todo: (paths) => `Correct the path in the configuration, or make ${paths}`,
  },
  {
    isFaulty: (entry, owner) => entry.kind === 'config' && !isReadableFor(entry, owner),
    state: 'bad',
    text: (paths, { user }) => `${user} cannot read ${paths}`,
    todo: (paths, { group }) => `chgrp ${group} ${paths}; chmod g+r ${paths}`,
    isByHand: true,
  },
  {
    isFaulty: ({ kind, mode }) => isOurs(kind) && kind !== 'key' && (mode & others) !== 0,
    state: 'bad',
    text: (paths) => `everybody on this machine may look into ${paths}`,
    todo: (paths) => `chmod o-rwx ${paths}`,
  },
  {
    isFaulty: (entry, owner) => isOurs(entry.kind) && !isWritableFor(entry, owner),
    state: 'bad',
    text: (paths, { user }) => `${user} cannot write ${paths}`,
    todo: (paths, { user, group }) => `chown ${user}:${group} ${paths}`,
  },
  {
    isFaulty: ({ kind, mode }) => isOurs(kind) && kind !== 'key' && (mode & 0o020) === 0,
    state: 'warn',
    text: (paths, { group }) => `the group ${group} cannot write ${paths}: applications cannot open the store`,
    todo: (paths) => `chmod g+rwX ${paths}`,
  },
];

/** The owner, or the group where the group may write. Root needs no permission, but makes files that others cannot write. */
function isWritableFor({ kind, uid, gid, mode }: Entry, owner: Owner): boolean {
  if (uid === owner.uid) return (mode & 0o200) !== 0;
  return kind !== 'key' && gid === owner.gid && (mode & 0o020) !== 0;
}

function isReadableFor({ uid, gid, mode }: Entry, owner: Owner): boolean {
  if (owner.uid === 0) return true;
  if (uid === owner.uid) return (mode & 0o400) !== 0;
  return (mode & (gid === owner.gid ? 0o040 : 0o004)) !== 0;
}

/** /tmp is everybody's. Further groups of the user's are not looked at. */
function canMakeIn(entry: Entry, owner: Owner): boolean {
  return owner.uid === 0 || (entry.mode & 0o002) !== 0 || isWritableFor(entry, owner);
}

export function judgePermissions(entries: readonly Entry[], owner: Owner): Finding[] {
  const found = faults.flatMap(({ isFaulty, state, text, todo, isByHand }) => {
    const paths = entries.filter((entry) => isFaulty(entry, owner)).map(({ path }) => path);
    if (paths.length === 0) return [];
    const make = state === 'bad' ? bad : warn;
    const what = todo(named(paths), owner);
    return [make('permissions', text(named(paths), owner), isByHand ? what : `${what} (doctor --repair does it)`)];
  });
  if (found.length > 0) return found;
  const count = entries.filter(({ kind }) => kind === 'shared' || isOurs(kind)).length;
  if (count === 0) return [ok('permissions', 'no folder is there yet')];
  return [ok('permissions', `${count} folders and files are ${owner.user}'s and the group ${owner.group}'s`)];
}

function named(paths: readonly string[]): string {
  const more = paths.length - namedMax;
  return `${paths.slice(0, namedMax).join(' ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/**
 * What is to be changed, and to what; nothing for an entry that is as it should be, or is not there. setgid: new files are the
 * group's.
 */
export function planRepairs(entries: readonly Entry[], owner: Owner): Repair[] {
  return entries
    .filter(
      (entry) =>
        entry.kind !== 'missing' && faults.some(({ isFaulty, isByHand }) => !isByHand && isFaulty(entry, owner)),
    )
    .map((entry) => ({ path: entry.path, mode: wantedMode(entry), uid: owner.uid, gid: owner.gid }));
}

function wantedMode({ kind, mode }: Entry): number {
  if (kind === 'key') return 0o600;
  return kind === 'folder' ? (mode | 0o2770) & 0o2770 : (mode | 0o660) & 0o770;
}
