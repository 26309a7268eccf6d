/**
 * One growing file, followed by name like `tail -F`: what was appended before it was renamed, deleted or cut is still read, then
 * the file that has the name now. Whole lines only; the rest of a line that is still being written comes next time.
 */
import { statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

export interface FileTail {
  /** What came since the last call, to the end of the file. */
  lines(): AsyncGenerator<string>;
  /** May be called twice, or first. */
  close(): Promise<void>;
}

/** Read at a time; a line that is longer comes in pieces. */
const pieceBytes = 256 * 1024;

interface Open {
  readonly handle: FileHandle;
  offset: number;
}

export function openFileTail(path: string): FileTail {
  let file: Open | null = null;
  const close = async (): Promise<void> => {
    const handle = file?.handle;
    file = null;
    await handle?.close();
  };
  return {
    async *lines() {
      do {
        file ??= await openIfThere(path);
        if (!file) return;
        yield* readToEnd(file);
      } while (await closeIfReplaced(file, path, close));
    },
    close,
  };
}

async function openIfThere(path: string): Promise<Open | null> {
  if (!statSync(path, { throwIfNoEntry: false })) return null;
  return { handle: await open(path), offset: 0 };
}

async function* readToEnd(file: Open): AsyncGenerator<string> {
  const piece = Buffer.alloc(pieceBytes);
  for (;;) {
    const { bytesRead } = await file.handle.read(piece, 0, pieceBytes, file.offset);
    const read = piece.subarray(0, bytesRead);
    const end = read.lastIndexOf(10) + 1;
    if (end === 0 && bytesRead < pieceBytes) return;
    const used = end === 0 ? bytesRead : end;
    file.offset += used;
    for (const line of read.toString('utf8', 0, used).replace(/\n$/, '').split('\n')) yield line;
  }
}

/** True: another file has the name by now, or this one was cut; it is read from its start. */
async function closeIfReplaced({ handle, offset }: Open, path: string, close: () => Promise<void>): Promise<boolean> {
  const held = await handle.stat();
  const named = statSync(path, { throwIfNoEntry: false });
  if (named && held.dev === named.dev && held.ino === named.ino && held.size >= offset) return false;
  await close();
  return true;
}
