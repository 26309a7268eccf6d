/** Our folders and files as they lie there: what the permission rules look at. Foreign files in the same folders are left out. */
import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { storeFile } from '../../config/store-location.ts';
import { jobFileOf } from '../../queue/open-queue.ts';
import { oldKeyFile } from '../../store/key-file.ts';
import { writableFolders } from '../install/gather.ts';
import { type Entry, isShared } from './permissions.ts';

/** Folders, then files; symbolic links are nobody's and left out. Empty on Windows, where access lists decide. */
export function entriesOf(config: Config): Entry[] {
  if (process.platform === 'win32') return [];
  const folders = writableFolders(config).flatMap((path) => [
    ...entryOf(path, 'folder').map(orShared),
    ...missingEntry(path),
  ]);
  const files = ownFiles(config).flatMap((path) => entryOf(path, 'file'));
  const key = config.BACKPROC_SECRET_KEY_FILE;
  return [...folders, ...files, ...[key, oldKeyFile(key)].flatMap((path) => entryOf(path, 'key'))];
}

/** None: there is no such file, and the defaults are used. */
export const configEntry = (file: string | null): Entry[] =>
  file === null || process.platform === 'win32' ? [] : entryOf(realpathSync(file), 'config');

export const jobFileIn = (config: Config): string => jobFileOf(config.BACKPROC_DATA_LOCATION, config.BACKPROC_NODE_ID);

function ownFiles(config: Config): string[] {
  const store = storeFile(config);
  return [
    ...filesIn(dirname(store), (name) => name.startsWith(basename(store))),
    ...filesIn(config.BACKPROC_DATA_LOCATION, (name) => name.startsWith(basename(jobFileIn(config)))),
    ...filesIn(config.BACKPROC_LOG_LOCATION, (name) => /^\d{8}-[a-z-]+\.log$/.test(name)),
    ...filesIn(config.BACKPROC_PID_LOCATION, (name) => name === 'backproc.pid'),
  ];
}

/** Of a folder that is there and may be read. */
export function filesIn(folder: string, isOurs: (name: string) => boolean): string[] {
  try {
    return readdirSync(folder)
      .filter(isOurs)
      .map((name) => join(folder, name));
  } catch {
    return []; // told by the folder's own entry, or by its absence
  }
}

function entryOf(path: string, kind: Entry['kind']): Entry[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats || !isOfKind(stats, kind)) return [];
  return [{ path, kind, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid }];
}

/** One in /run is made by the unit of `install systemd` (RuntimeDirectory). */
function missingEntry(path: string): Entry[] {
  if (path.startsWith('/run/') || lstatSync(path, { throwIfNoEntry: false })) return [];
  let above = dirname(path);
  while (above !== dirname(above) && !statSync(above, { throwIfNoEntry: false })) above = dirname(above);
  const { mode, uid, gid } = statSync(above);
  return [{ path, kind: 'missing', mode: mode & 0o7777, uid, gid }];
}

const orShared = (entry: Entry): Entry => (isShared(realpathSync(entry.path)) ? { ...entry, kind: 'shared' } : entry);

const isOfKind = (stats: Stats, kind: Entry['kind']): boolean =>
  kind === 'folder' ? stats.isDirectory() : stats.isFile();
