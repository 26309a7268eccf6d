import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expiredLogFiles, removeExpiredLogs } from '../../../src/base/log-retention.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backproc-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const dayName = (date: Date): string => `${date.toISOString().slice(0, 10).replaceAll('-', '')}-info.log`;

describe('log files', () => {
  it('are kept for as many days as configured, and nothing but ours is ever named', () => {
    const day = fc.date({ min: new Date('2000-01-01'), max: new Date('2090-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(day, fc.integer({ min: 1, max: 3650 }), fc.integer({ min: -5, max: 4000 }), (today, days, age) => {
        const name = dayName(new Date(today.getTime() - age * 86_400_000));
        const expired = expiredLogFiles([name, 'notes.txt', `${name}.1`], today.toISOString().slice(0, 10), days);
        expect(expired).toEqual(age > days ? [name] : []);
      }),
    );
  });

  it('that cannot be removed, or a folder that is not there, stop nothing', () => {
    mkdirSync(join(folder, '20200101-info.log/full'), { recursive: true });
    writeFileSync(join(folder, '20200102-info.log'), '');
    expect(removeExpiredLogs(folder, '2026-11-23', 1)).toEqual(['20200102-info.log']);
    expect(removeExpiredLogs(join(folder, 'nowhere'), '2026-11-23', 1)).toEqual([]);
    expect(existsSync(join(folder, '20200101-info.log'))).toBe(true);
  });
});
