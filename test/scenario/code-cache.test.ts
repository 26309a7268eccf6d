/** What V8 kept of the program's files is taken where it is whole, and done without where it is not: V8 itself checks little. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
/** Tells of every file that is compiled: with what was kept (false), in spite of it (true), or without. */
const probe = `const vm = require('node:vm');
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    console.error(this.cachedDataRejected);
  }
};`;

describe('the installed program', () => {
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'backproc-copy-'));
    for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(place, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'), 'junction');
    writeFileSync(join(place, 'config.json'), '{}');
    writeFileSync(join(place, 'probe.cjs'), probe);
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  const caches = (): string[] =>
    readdirSync(join(place, 'dist'))
      .filter((name) => name.endsWith('.cache'))
      .map((name) => join(place, 'dist', name));
  /** What became of the files' caches, as a set. */
  const compiled = (): string[] => {
    const args = ['--require', join(place, 'probe.cjs'), 'dist/main.js', 'account', 'list', '--json'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: place, encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '[]\n' });
    return [...new Set(stderr.trim().split('\n'))];
  };

  it('has what the build kept beside its files, for everybody who may read those', () => {
    const modeOf = (file: string): number => statSync(file).mode;
    expect(caches().length).toBeGreaterThan(50);
    for (const file of caches()) expect(modeOf(file)).toBe(modeOf(file.slice(0, -'.cache'.length)));
  });

  it('takes what the build kept of its files', () => {
    expect(compiled()).toEqual(['false']);
  });

  it.each<[string, (file: string) => void]>([
    ['damaged', (file) => writeFileSync(file, readFileSync(file).fill(0x2a, 200, 300))],
    ['of another Node', (file) => writeFileSync(file, readFileSync(file).fill(0x2a, 4, 8))],
    ['cut short', (file) => truncateSync(file, 1000)],
    ['empty', (file) => truncateSync(file)],
    ['missing', (file) => rmSync(file)],
  ])('does without where it is %s', (_, spoil) => {
    for (const file of caches()) spoil(file);
    expect(compiled()).toEqual(['undefined']);
  });
});
