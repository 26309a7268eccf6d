/**
 * What a second launch does: it asks whether an engine is at work on this store, having loaded nothing but SQLite. Where
 * the lock lies is remembered beside the configuration file, and believed while that file's time and size are the same.
 * A wrong or missing memory costs nothing: the launch then goes the whole way, and the lock decides.
 */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type FindOptions, findConfigFile } from '../config/find.ts';
import { tryLock } from './lock.ts';
import { readPidFile } from './pid-file.ts';

interface Memory {
  readonly mtimeMs: number;
  readonly size: number;
  readonly lockFile: string;
  readonly pidFolder: string;
}

export type Places = Pick<Memory, 'lockFile' | 'pidFolder'>;

const memoryOf = (configFile: string): string => join(dirname(configFile), `.${basename(configFile)}.lock-place`);

/** Called by the engine that holds the lock. The folder may not be writable: then launches go the whole way. */
export function rememberPlaces(configFile: string, places: Places): void {
  const { mtimeMs, size } = statSync(configFile);
  const memory: Memory = { mtimeMs, size, ...places };
  const text = JSON.stringify(memory);
  const file = memoryOf(configFile);
  try {
    if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
    writeFileSync(`${file}.${process.pid}`, text, { mode: 0o660 });
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // A convenience only.
  }
}

/** True only when the lock is held and the process that wrote the pid file is alive. */
export function isEngineAtWork(find: FindOptions): boolean {
  const places = recall(find);
  if (!places || !existsSync(places.lockFile)) return false;
  const lock = tryLock(places.lockFile);
  lock?.release();
  return lock === null && readPidFile(places.pidFolder) !== undefined;
}

function recall(find: FindOptions): Places | null {
  try {
    const configFile = findConfigFile(find);
    if (configFile === null) return null;
    const memory = JSON.parse(readFileSync(memoryOf(configFile), 'utf8')) as Memory;
    const { mtimeMs, size } = statSync(configFile);
    return memory.mtimeMs === mtimeMs && memory.size === size ? memory : null;
  } catch {
    return null; // not remembered, or no such file: the launch goes the whole way, and says what is wrong
  }
}
