/** A command that waits for something that cannot come: Node ends then, with 0 and without a word. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mainFile } from '../support/installation.ts';

/** Put before the program: its command line never settles. */
const neverSettles = `
const { prototype } = require('node:module');
const { require: original } = prototype;
prototype.require = function (id) {
  const found = original.call(this, id);
  return 'runProgram' in Object(found) ? { ...found, runProgram: () => new Promise(() => undefined) } : found;
};
`;

describe('the program', () => {
  it('says so, and does not end like one that succeeded', () => {
    const folder = mkdtempSync(join(tmpdir(), 'backproc-unfinished-'));
    const preload = join(folder, 'preload.cjs');
    writeFileSync(preload, neverSettles);
    const { status, stderr } = spawnSync(process.execPath, ['--require', preload, mainFile, 'status'], {
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    expect([status, stderr]).toEqual([70, expect.stringMatching(/^backproc: Ended in the middle of its work\..*\n$/)]);
  });
});
