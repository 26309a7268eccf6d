/**
 * Reads one file under the attachment root, and nothing else: no way out by `..`, no link on the way, no device, no pipe, no
 * second name of a file (hard link), nothing that grows past the limit, nothing that changes while it is read or was changed
 * after the entry came in. What was opened is asked of the system, not of the path, so that a swap in between is seen. Throws
 * outbox_invalid; what breaks while the bytes are read is thrown as it is.
 */
import { createHash } from 'node:crypto';
import { constants, lstatSync, readlinkSync, realpathSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { invalid, shown } from './invalid.ts';

export interface FileWish {
  readonly root: string | null;
  readonly path: string;
  readonly bytesMax: number;
  /** When the entry came in: the file must be older, unless its digest was given. */
  readonly createdAtMs: number;
  readonly sha256: string | null;
}

export async function readAttachmentFile(wish: FileWish): Promise<Buffer> {
  const root = rootOf(wish.root);
  const file = placeUnder(root, wish.path);
  refuseLinks(root, file, wish.path);
  // O_NONBLOCK: opening a pipe would wait for a writer.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const handle = await opened(file, flags, wish.path);
  try {
    return await readChecked(handle, file, wish);
  } finally {
    await handle.close();
  }
}

function rootOf(root: string | null): string {
  if (root === null) throw invalid('attachments', 'path: no EMAIL_ATTACHMENT_ROOT is configured');
  try {
    return realpathSync(root);
  } catch (error) {
    throw invalid('attachments', `EMAIL_ATTACHMENT_ROOT cannot be read: ${codeOf(error)}`);
  }
}

function placeUnder(root: string, path: string): string {
  const file = resolve(root, path);
  const isOut = path.split(/[/\\]/).includes('..') || !file.startsWith(root.endsWith(sep) ? root : root + sep);
  if (isOut) throw invalid('attachments', `${shown(path)} is not under EMAIL_ATTACHMENT_ROOT`);
  return file;
}

/** Every name on the way, the file's own included. */
function refuseLinks(root: string, file: string, path: string): void {
  let at = root;
  for (const name of relative(root, file).split(sep)) {
    at = join(at, name);
    const stats = statsOf(at, path);
    if (!stats) throw invalid('attachments', `${shown(path)} does not exist`);
    if (stats.isSymbolicLink()) throw invalid('attachments', `${shown(path)} leads over a symbolic link`);
  }
}

/** Undefined: there is none. */
function statsOf(at: string, path: string): Stats | undefined {
  try {
    return lstatSync(at, { throwIfNoEntry: false });
  } catch (error) {
    throw invalid('attachments', `${shown(path)} cannot be opened: ${codeOf(error)}`);
  }
}

async function opened(file: string, flags: number, path: string): Promise<FileHandle> {
  try {
    return await open(file, flags);
  } catch (error) {
    throw invalid('attachments', `${shown(path)} cannot be opened: ${codeOf(error)}`);
  }
}

async function readChecked(handle: FileHandle, file: string, wish: FileWish): Promise<Buffer> {
  const before = await handle.stat();
  refuseUnfit(before, wish);
  refuseSwapped(handle, file, before, wish.path);
  const bytes = Buffer.alloc(before.size + 1);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
  const after = await handle.stat();
  if (bytesRead !== before.size || after.mtimeMs !== before.mtimeMs || after.size !== before.size)
    throw invalid('attachments', `${shown(wish.path)} changed while it was read`);
  const content = bytes.subarray(0, bytesRead);
  if (wish.sha256 !== null && createHash('sha256').update(content).digest('hex') !== wish.sha256)
    throw invalid('attachments', `${shown(wish.path)} does not have the sha256 that was given`);
  return content;
}

function refuseUnfit(stats: Stats, { path, bytesMax, createdAtMs, sha256 }: FileWish): void {
  const refuse = (why: string): never => {
    throw invalid('attachments', `${shown(path)} ${why}`);
  };
  if (!stats.isFile()) refuse('is no regular file');
  if (stats.nlink > 1) refuse('has more than one name (hard links)');
  if (stats.size > bytesMax) refuse(`has ${stats.size} bytes, at most ${bytesMax}`);
  if (sha256 === null && Math.floor(stats.mtimeMs) > createdAtMs)
    refuse('was changed after the entry came in; write the file first, or give its sha256');
}

/** Linux tells the path of what is open; elsewhere the path must still lead to the same file. */
function refuseSwapped(handle: FileHandle, file: string, stats: Stats, path: string): void {
  if (process.platform === 'linux') {
    if (readlinkSync(`/proc/self/fd/${handle.fd}`) === file) return;
  } else {
    const now = lstatSync(file, { throwIfNoEntry: false });
    if (now && now.dev === stats.dev && now.ino === stats.ino && realpathSync(file) === file) return;
  }
  throw invalid('attachments', `${shown(path)} was swapped while it was opened`);
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
