/**
 * A copy of the database while an engine writes to it. One read transaction is held from the first page to the last, so the copy
 * is what the database was at one instant. (The backup API without it starts over with every commit of another connection, and
 * under an engine at work it never ended; VACUUM INTO took nearly twice as long, without progress.) Writers are not blocked; the
 * WAL can't be emptied meanwhile and grows by what they write. The copy is one file without a WAL, checked, and under its name only
 * when it is complete. Throws what opening throws, `store_full`, `store_corrupt`, `aborted`, and `usage` for a target that exists.
 */
import { chmodSync, existsSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { throwIfAborted } from '../../base/abort.ts';
import { EngineError } from '../../base/errors.ts';
import { openSqlite } from '../../base/sqlite.ts';
import { putInPlace } from '../../base/whole-file.ts';
import { toStoreFailure } from './failure.ts';
import { openReader } from './open.ts';

export interface BackupOptions {
  readonly file: string;
  readonly target: string;
  /** 0…1 */
  readonly onProgress: (done: number) => void;
  readonly signal: AbortSignal;
}

/** 4 MiB at a time: between two of them progress is told and a stop is heard. */
const pagesAtATime = 256;
const databaseMode = 0o660;

/** Returns the size of the copy in bytes. */
export async function backupDatabase(options: BackupOptions): Promise<number> {
  const { target } = options;
  if (existsSync(target)) throw exists(target);
  removeLeftovers(target);
  const part = `${target}.${process.pid}.part`;
  try {
    const bytes = await copy(options, part);
    checkCopy(part);
    putInPlace(part, target);
    return bytes;
  } catch (error) {
    throw hasCode(error, 'EEXIST') ? exists(target) : toStoreFailure(error);
  } finally {
    removePart(part);
  }
}

const exists = (target: string): EngineError => new EngineError('usage', `${target} exists already.`);

async function copy({ file, target, onProgress, signal }: BackupOptions, part: string): Promise<number> {
  const source = openReader(file);
  try {
    source.exec('BEGIN');
    const pageCount = Number(source.pragma('page_count', { simple: true }));
    const bytes = pageCount * Number(source.pragma('page_size', { simple: true }));
    refuseTooLarge(bytes, target);
    await source.backup(part, {
      progress({ totalPages, remainingPages }) {
        throwIfAborted(signal);
        onProgress(totalPages === 0 ? 0 : 1 - remainingPages / totalPages);
        return pagesAtATime;
      },
    });
    return bytes;
  } finally {
    source.close();
  }
}

/** Before hours of copying, not after. */
function refuseTooLarge(bytes: number, target: string): void {
  const { bavail, bsize } = statfsSync(dirname(target));
  if (bavail * bsize < bytes)
    throw new EngineError('store_full', `${target} needs ${bytes} bytes, the disk has ${bavail * bsize}`);
}

/** The header says WAL, like that of the source; a file that travels alone must not need one. */
function checkCopy(part: string): void {
  chmodSync(part, databaseMode);
  const database = openSqlite(part, { fileMustExist: true });
  try {
    database.pragma('journal_mode = DELETE');
    const found = database.pragma('quick_check(1)', { simple: true });
    if (found !== 'ok') throw new EngineError('store_corrupt', `the copy, and so the database: ${String(found)}`);
  } finally {
    database.close();
  }
}

const partForm = /^\.(\d+)\.part(-journal|-wal|-shm)?$/;

/** Of backups to the same name whose process is gone: they may be as large as the database. */
function removeLeftovers(target: string): void {
  const name = basename(target);
  for (const found of readdirSync(dirname(target))) {
    const pid = found.startsWith(name) ? partForm.exec(found.slice(name.length))?.[1] : undefined;
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(dirname(target), found), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

function removePart(part: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(`${part}${suffix}`, { force: true });
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
