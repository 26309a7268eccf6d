import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { locksOn, processName, readLocksOn } from '../../../src/base/proc-locks.ts';
import { openSqlite } from '../../../src/base/sqlite.ts';

const table = `1: POSIX  ADVISORY  READ 4711 fe:00:123456 124 124
1: -> POSIX  ADVISORY  WRITE 4712 fe:00:123456 124 124
2: POSIX  ADVISORY  WRITE 4713 fe:00:123456 0 EOF
3: FLOCK  ADVISORY  WRITE 4714 fe:00:123456 0 EOF
4: POSIX  ADVISORY  READ 4715 fe:01:123456 124 124
5: OFDLCK ADVISORY  READ -1 103:1f4:99 1 2
`;

describe('/proc/locks', () => {
  it('names who holds a lock on a file: those that wait, other kinds of lock and other devices are left out', () => {
    expect(locksOn(table, { dev: 0xfe00n, ino: 123_456n })).toEqual([
      { pid: 4711, isWrite: false, start: 124, end: 124 },
      { pid: 4713, isWrite: true, start: 0, end: null },
    ]);
  });
  it('is read with the device numbers that stat uses, large ones too', () => {
    expect(locksOn(table, { dev: (0x103n << 8n) | 0xf4n | (0x100n << 12n), ino: 99n })).toHaveLength(1);
  });
  it.runIf(existsSync('/proc/locks'))('finds our own lock on a real file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'backproc-locks-'));
    const file = join(folder, 'x.db');
    const database = openSqlite(file);
    database.exec('BEGIN EXCLUSIVE');
    expect(readLocksOn(file).map(({ pid }) => pid)).toContain(process.pid);
    database.close();
    expect(readLocksOn(file)).toEqual([]);
    closeSync(openSync(join(folder, 'y'), 'w'));
    expect([readLocksOn(join(folder, 'y')), readLocksOn(join(folder, 'none'))]).toEqual([[], []]);
    expect(statSync(file).size).toBe(0);
    rmSync(folder, { recursive: true });
  });
  it.runIf(existsSync('/proc/locks'))('gives a process its name, and a question mark to one that is gone', () => {
    const spawned = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'inherit'] });
    expect(processName(spawned.pid ?? 0)).toBe('node');
    spawned.stdin.end();
    expect(processName(2 ** 30)).toBe('?');
  });
});
