/**
 * Imported before all but node-version.ts, for its effect: files of the installed program (dist/) are compiled with what V8 kept of
 * an earlier run of them, `FILE.cache`, which the build makes. A start takes a fifth less time. It serves the very Node that made it:
 * V8 itself compares its version and flags alone.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { crc32 } from 'node:zlib';
import { nodeTag } from './node-tag.ts';

type Load = (module: NodeJS.Module, file: string) => void;
type Run = (this: unknown, ...given: unknown[]) => void;

const folder = dirname(fileURLToPath(import.meta.url));
const { extensions } = createRequire(import.meta.url);
const usual = extensions['.js'] as Load;

extensions['.js'] = (module: NodeJS.Module, file: string): void => {
  if (dirname(file) === folder) load(module, file);
  else usual(module, file);
};

/** As Node loads a CommonJS file, within the function that it puts around one. */
function load(module: NodeJS.Module, file: string): void {
  const source = `(function (exports, require, module, __filename, __dirname) { ${readFileSync(file, 'utf8')}\n});`;
  const script = new vm.Script(source, { filename: file, cachedData: cacheOf(file) });
  const run = script.runInThisContext() as Run;
  run.call(module.exports, module.exports, createRequire(file), module, file, folder);
}

/** A CRC-32 of what follows, and the tag of the Node that made it: V8 trusts every byte, and wrong ones end the process. */
const headBytes = 8;
let tag: number | undefined;

function cacheOf(file: string): Buffer | undefined {
  try {
    const bytes = readFileSync(`${file}.cache`);
    const data = bytes.subarray(headBytes);
    tag ??= nodeTag();
    return bytes.readUInt32LE() === crc32(data) && bytes.readUInt32LE(4) === tag ? data : undefined;
  } catch {
    return undefined; // none, or no whole one
  }
}
