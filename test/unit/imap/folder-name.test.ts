import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeName, encodeName, isInbox, type ListedName, pathsOf } from '../../../src/imap/folder-name.ts';

const text = fc.string({ unit: 'binary' }).map((any) => any.replaceAll('\0', ''));
/** Of few characters, so that spellings of the same path meet. */
const odd = fc
  .array(
    fc.constantFrom('a', '&', '-', '/', 'é', '\x7f', '\t', '&AGE-', '&AOk-', '&,v8-', '&2AA-', '&AAA-', '\0', 'inbox'),
  )
  .map((pieces) => pieces.join(''));
const encodings = ['utf-7', 'utf-8'] as const;
const listed = (names: readonly string[], delimiter: string | null = '/'): ListedName[] =>
  names.map((name) => ({ listed: name, delimiter }));
const paths = (...names: string[]): string[] => {
  const found = pathsOf(listed(names), 'utf-7');
  return names.map((name) => found.get(name) ?? '');
};

describe('a folder name', () => {
  it('in the usual spelling is what was spelt, whatever it is', () => {
    for (const encoding of encodings)
      fc.assert(fc.property(text, (path) => decodeName(encodeName(path, encoding), encoding) === path));
    fc.assert(fc.property(text, (path) => /^[\x20-\x7e]*$/.test(encodeName(path, 'utf-7'))));
  });

  it.each([
    ['&,v8-bom', '\ufeffbom'],
    ['a&,v8-b', 'a\ufeffb'],
    ['&,v9lAA-x', '\ufeff攀x'],
    ['del&AH8-x', 'del\x7fx'],
    ['&ZeU-&Zyw-', '日本'],
    ['&AEEA6Q-', 'Aé'],
    ['&AEI-&-c', 'B&c'],
    ['AT&-T', 'AT&T'],
    ['&2D3eAA-', '😀'],
    ['&2D0-&3gA-', '😀'],
    ['café', 'café'],
  ])('listed as %s is decoded', (name, path) => {
    expect(decodeName(name, 'utf-7')).toBe(path);
  });

  it.each(['R&D', '&AOk', '&é-', '&A-', '&AOkA-', '&AA-', '&2D0-', '&3gA-x', '&AAA-', 'nul\0', '&AO/k-'])(
    'listed as %j cannot be',
    (name) => {
      expect(decodeName(name, 'utf-7')).toBeNull();
    },
  );

  it('is INBOX in ASCII letters of any case only', () => {
    expect(['INBOX', 'inBox', 'ınbox', 'INBOX/a', ' INBOX'].map(isInbox)).toEqual([true, true, false, false, false]);
  });
});

describe('the paths of a listing', () => {
  it('leave the usual spelling its path; another one goes by what was listed', () => {
    expect(paths('&,v8-bom', 'bom')).toEqual(['\ufeffbom', 'bom']);
    expect(paths('&AGE-', 'a')).toEqual(['&AGE-', 'a']);
    expect(paths('&AGE-', 'a', '&-AGE-')).toEqual(['&&AGE-', 'a', '&AGE-']);
    expect(paths('café', 'caf&AOk-', 'R&D', 'R&-D')).toEqual(['&café', 'café', '&R&D', 'R&D']);
    expect(paths('&AGE-', 'R&D')).toEqual(['a', 'R&D']);
    expect(paths('INBOX', 'inbox', '&AEk-NBOX', '&ATE-NBOX')).toEqual(['INBOX', 'INBOX', '&AEk-NBOX', 'ıNBOX']);
    expect(paths('/a', '/inbox', '&AAA-', 'nul\0')).toEqual(['a', 'INBOX', '&AAA-', 'nul&AAA-']);
  });

  it('are as listed where the session is in UTF-8', () => {
    const names = ['café', 'R&D', '&AOk-', 'bom', '\ufeffbom'];
    expect([...pathsOf(listed(names), 'utf-8').values()]).toEqual(names);
  });

  it('are never shared, whatever is listed in whatever order, and a column can hold them', () => {
    const check = (names: string[], encoding: (typeof encodings)[number], delimiter: string | null): void => {
      const found = pathsOf(listed(names, delimiter), encoding);
      const others = [...found].filter(([, path]) => path !== 'INBOX').map(([, path]) => path);
      expect(new Set(found.keys())).toEqual(new Set(names));
      expect(new Set(others).size).toBe(others.length);
      for (const path of found.values()) expect(path.includes('\0') || !path.isWellFormed()).toBe(false);
      const reversed = pathsOf(listed([...names].reverse(), delimiter), encoding);
      for (const [name, path] of found) expect(reversed.get(name)).toBe(path);
    };
    const delimiters = fc.constantFrom('/', null);
    fc.assert(fc.property(fc.array(odd), fc.constantFrom(...encodings), delimiters, check), { numRuns: 1000 });
  });
});
