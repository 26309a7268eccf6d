/**
 * What a second launch does: it asks whether an engine of its own version beats on this store, having loaded nothing at all: whoever
 * is alive and has beaten a moment ago holds the lock, or will notice soon that it was taken away, and end. Where the store lies is
 * remembered beside the configuration file, and believed while that file's place, time and size are the same: a copy of the folder
 * is another installation. A missing memory costs nothing: the launch then goes the whole way, and the lock decides.
 */
import { existsSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type FindOptions, findConfigFile } from '../../config/find.ts';
import { versionIn } from '../../config/version.ts';
import { type Holder, isFresh, lockFileOf, readHolder } from './holder.ts';

interface Memory {
  /** Of the configuration file, without links; `cp -a` keeps its time and size. */
  readonly folder: string;
  readonly mtimeMs: number;
  readonly size: number;
  readonly storeFile: string;
  readonly version: string;
}

export type Remembered = Pick<Memory, 'storeFile' | 'version'>;

const memoryOf = (configFile: string): string => join(dirname(configFile), `.${basename(configFile)}.lock-place`);

/**
 * Called by the engine that holds the lock. The folder may not be writable: then launches go the whole way. Returns where the
 * store lay when an engine was here last; null: nobody knows.
 */
export function remember(configFile: string, what: Remembered): string | null {
  const memory: Memory = { ...stateOf(configFile), ...what };
  const file = memoryOf(configFile);
  const last = memoryIn(file);
  try {
    if (JSON.stringify(last) === JSON.stringify(memory)) return memory.storeFile;
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(memory), { mode: 0o660 });
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // A convenience only.
  }
  return last?.storeFile ?? null;
}

function stateOf(configFile: string): Pick<Memory, 'folder' | 'mtimeMs' | 'size'> {
  const { mtimeMs, size } = statSync(configFile);
  return { folder: realpathSync(dirname(configFile)), mtimeMs, size };
}

function memoryIn(file: string): Memory | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Memory;
  } catch {
    return null; // none yet, or not readable: the launch goes the whole way
  }
}

/** True only beside a process that is alive, beats, and is of this version. */
export function isEngineAtWork(find: FindOptions): boolean {
  const remembered = recall(find);
  if (!remembered || remembered.version !== versionIn(find.installFolder)) return false;
  const { storeFile } = remembered;
  const holder = holderIfSeen(storeFile);
  return (
    holder !== undefined &&
    holder.record.version === remembered.version &&
    isFresh(holder) &&
    existsSync(lockFileOf(storeFile))
  );
}

/** The folder may be closed to this user: the whole way tells so. */
function holderIfSeen(storeFile: string): Holder | undefined {
  try {
    return readHolder(storeFile);
  } catch {
    return undefined;
  }
}

function recall(find: FindOptions): Remembered | null {
  try {
    const configFile = findConfigFile(find);
    if (configFile === null) return null;
    const memory = memoryIn(memoryOf(configFile));
    const { folder, mtimeMs, size } = stateOf(configFile);
    return memory?.folder === folder && memory.mtimeMs === mtimeMs && memory.size === size ? memory : null;
  } catch {
    return null; // no such file: the launch goes the whole way, and says what is wrong
  }
}
