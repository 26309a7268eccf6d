/** A program whose packages are not all there. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

describe('SQLite', () => {
  it('that is not installed is told in a line that says what to do', () => {
    const folder = mkdtempSync(join(tmpdir(), 'backproc-no-sqlite-'));
    cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    writeFileSync(join(folder, 'config.json'), '{}');
    const { status, stderr } = spawnSync(process.execPath, ['dist/main.js', 'run', '--once'], {
      cwd: folder,
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    expect(stderr).toMatch(/^backproc: SQLite does not load in this Node\. better-sqlite3.*`npm ci`.*\n$/);
    expect(status).toBe(78);
  });
});
