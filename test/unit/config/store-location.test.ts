import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeFile } from '../../../src/config/store-location.ts';

describe('where the store lies', () => {
  let folder: string;
  const at = (...names: string[]): string => join(folder, ...names);
  const fileOf = (path: string): string => storeFile({ BACKPROC_STORE: `sqlite:${path}` });
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'backproc-store-location-')));
    mkdirSync(at('disk'));
    mkdirSync(at('store'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is the file that is named', () => expect(fileOf(at('store', 'mail.db'))).toBe(at('store', 'mail.db')));

  it('is the file itself where a link is named, so that all its names have one lock, also before it is made', () => {
    symlinkSync('../disk/mail.db', at('store', 'mail.db'));
    symlinkSync('store', at('again'));
    symlinkSync(at('again', 'mail.db'), at('third.db'));
    expect([at('store', 'mail.db'), at('again', 'mail.db'), at('third.db')].map(fileOf)).toEqual(
      Array(3).fill(at('disk', 'mail.db')),
    );
    writeFileSync(at('disk', 'mail.db'), '');
    expect(fileOf(at('third.db'))).toBe(at('disk', 'mail.db'));
  });

  it('is left to SQLite to complain of where links lead in a circle', () => {
    symlinkSync(at('b.db'), at('a.db'));
    symlinkSync(at('a.db'), at('b.db'));
    expect(fileOf(at('a.db'))).toMatch(/[ab]\.db$/);
  });
});
