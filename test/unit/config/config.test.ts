import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { editDistance, nearestName } from '../../../src/config/nearest-name.ts';
import { checkConfig, maskSecrets } from '../../../src/config/problems.ts';
import { constantNames, constants } from '../../../src/config/schema.ts';
import { storeFile } from '../../../src/config/store-location.ts';

const folder = mkdtempSync(join(tmpdir(), 'backproc-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const load = (name: string, text: string) => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return loadConfig({ file, env: {}, cwd: '/', installFolder: '/' });
};

describe('a configuration', () => {
  it('without constants has the defaults, and every default is valid', () => {
    const config = checkConfig({}, 'x');
    expect(config.BG_MAX_THREADS).toBe(14);
    for (const name of constantNames)
      expect([name, constants[name].schema.safeParse(constants[name].fallback).success]).toEqual([name, true]);
  });

  it('lists all mistakes at once: what was given, what is expected, the nearest name', () => {
    const given = {
      BG_MAX_THREAD: 3,
      BG_LOG_LEVEL: 'loud',
      EMAIL_BG_LO_FOLDERS_SYNC_START: '25:00',
      BG_MAX_THREADS: 0,
    };
    expect(() => checkConfig(given, 'config.ts')).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        detail: expect.stringMatching(
          /BG_MAX_THREAD is unknown\. Nearest name: BG_MAX_THREADS\.[\s\S]*BG_LOG_LEVEL is "loud"\. Expected: [\s\S]*EMAIL_BG_LO_FOLDERS_SYNC_START is "25:00"[\s\S]*BG_MAX_THREADS is 0\. Expected: a whole number/,
        ) as unknown,
      }),
    );
  });

  it.each([
    ['config.ts', "export const BG_MAX_THREADS: number = 3;\nexport const BACKPROC_LOG_LOCATION = 'here';"],
    ['config.js', "module.exports = { BG_MAX_THREADS: 3, BACKPROC_LOG_LOCATION: 'here' };"],
    ['config.json', '{"BG_MAX_THREADS":3,"BACKPROC_LOG_LOCATION":"here"}'],
  ])('%s is read, with paths relative to its folder', async (name, text) => {
    const { config } = await load(name, text);
    expect([config.BG_MAX_THREADS, config.BACKPROC_LOG_LOCATION]).toEqual([3, join(folder, 'here')]);
  });

  it.each([
    ['broken.json', '{"BG_MAX_THREADS":'],
    ['broken.ts', 'export const = ;'],
  ])('%s that cannot be read is named', async (name, text) => {
    await expect(load(name, text)).rejects.toMatchObject({
      code: 'config_invalid',
      detail: expect.stringContaining(name) as unknown,
    });
  });

  it('may begin with a byte-order mark, as Windows editors write it', async () => {
    const { config } = await load('marked.json', '\ufeff{ "BG_MAX_THREADS": 3 }');
    expect(config.BG_MAX_THREADS).toBe(3);
  });

  it.each([
    ['a function', 'export default () => ({ BG_MAX_THREADS: 2 })'],
    ['a promise', 'export default Promise.resolve({ BG_MAX_THREADS: 2 })'],
    ['a list', 'export default [2]'],
    ['a word', 'export default "BG_MAX_THREADS"'],
  ])('whose default export is %s is refused: its constants would count for nothing', async (what, text) => {
    await expect(load(`${what.replace(' ', '-')}.ts`, text)).rejects.toMatchObject({
      code: 'config_invalid',
      detail: expect.stringContaining('default export') as unknown,
    });
  });

  it('that holds a constant without exporting it is refused: its default would hold in silence', async () => {
    const text = "const BG_LOG_LEVEL = 'debug';\nlet BG_MAX_THREADS = 3;\nexport const BG_LOG_FORMAT = 'loud';";
    await expect(load('unexported.ts', text)).rejects.toMatchObject({
      code: 'config_invalid',
      detail: expect.stringMatching(
        /BG_LOG_FORMAT is "loud"[\s\S]*BG_LOG_LEVEL is not exported, [\s\S]*export const BG_LOG_LEVEL[\s\S]*BG_MAX_THREADS is not/,
      ) as unknown,
    });
  });

  it.each([
    ['by name', "const BG_LOG_LEVEL = 'debug';\nexport { BG_LOG_LEVEL };"],
    ['in an object', "const BG_LOG_LEVEL = 'debug';\nexport default { BG_LOG_LEVEL };"],
    [
      'beside others in comments',
      "/*\nconst BG_LOG_FORMAT = 1;\n*/\n// const BG_X\nexport const BG_LOG_LEVEL = 'debug';",
    ],
  ])('may export a constant elsewhere than where it stands: %s', async (what, text) => {
    const { config } = await load(`exported ${what}.ts`, text);
    expect([config.BG_LOG_LEVEL, config.BG_LOG_FORMAT]).toEqual(['debug', 'line']);
  });

  it('that is a folder is no file with mistakes', async () => {
    const file = join(folder, 'config-folder.ts');
    mkdirSync(file);
    await expect(loadConfig({ file, env: {}, cwd: '/', installFolder: '/' })).rejects.toMatchObject({
      code: 'config_unreadable',
      detail: expect.stringMatching(/config-folder\.ts: EISDIR/) as unknown,
    });
  });

  it('that waits for what never comes is given up', async () => {
    vi.useFakeTimers();
    try {
      const loading = expect(load('never.ts', 'await new Promise(() => undefined)')).rejects.toMatchObject({
        code: 'config_invalid',
        detail: expect.stringContaining('still not loaded after 30 s') as unknown,
      });
      await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
      await vi.advanceTimersByTimeAsync(30_000);
      await loading;
    } finally {
      vi.useRealTimers();
    }
  });

  it('has no path with a NUL', () => {
    expect(() => checkConfig({ BACKPROC_LOG_LOCATION: 'a\0b' }, 'x')).toThrow(/BACKPROC_LOG_LOCATION/);
  });

  it('names no store but one that this version knows', () => {
    expect(storeFile({ BACKPROC_STORE: 'sqlite:/srv/mail.db' })).toBe('/srv/mail.db');
    expect(() => storeFile({ BACKPROC_STORE: 'postgres://host/db' })).toThrow(/stores in SQLite only/);
  });

  it('that does not exist is an error that says so', async () => {
    const missing = { file: join(folder, 'none.json'), env: {}, cwd: '/', installFolder: '/' };
    await expect(loadConfig(missing)).rejects.toMatchObject({ code: 'config_not_found' });
  });

  it('shows no password of a URL', () => {
    expect(maskSecrets('postgres://user:secret@host/db')).toBe('postgres://user:***@host/db');
  });

  it('has an example with every constant at its default', async () => {
    const file = join(import.meta.dirname, '../../../config.example.ts');
    const example: Record<string, unknown> = await import(file);
    const own = ['BACKPROC_TIME_ZONE', 'BACKPROC_NODE_ID'];
    for (const [name, value] of Object.entries(example)) {
      expect(constantNames).toContain(name);
      const constant = constants[name as keyof typeof constants];
      expect([name, constant.schema.safeParse(value).success]).toEqual([name, true]);
      if (!own.includes(name)) expect([name, value]).toEqual([name, constant.fallback]);
    }
  });
});

describe('the nearest name', () => {
  it('is the name itself, whatever its case', () => {
    fc.assert(
      fc.property(fc.constantFrom(...constantNames), (name) => nearestName(name.toLowerCase(), constantNames) === name),
    );
  });

  it('is measured by a distance', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b, c) => {
        expect(editDistance(a, a)).toBe(0);
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
    );
  });
});
