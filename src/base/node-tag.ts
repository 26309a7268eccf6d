/** Which Node this is, to the very file: builds of one version differ, and what V8 kept in one may end the process of another. */
import { statSync } from 'node:fs';
import { crc32 } from 'node:zlib';

export function nodeTag(): number {
  const { size, mtimeMs } = statSync(process.execPath);
  return crc32(`${process.version} ${process.arch} ${size} ${mtimeMs}`);
}
