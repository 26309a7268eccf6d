import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { previewOf } from '../../../src/mime/preview.ts';

describe('a preview', () => {
  it.each([
    ['One\n\n  two\tthree\n', 'One two three'],
    ['> quoted\n>> twice\nown', 'own'],
    ['> only\n> quoted', '> only > quoted'],
    ['\u200c\u00a0\u034f\u00ad hidden fillers', 'hidden fillers'],
    [' \n ', null],
  ])('of %j', (text, preview) => expect(previewOf(text)).toBe(preview));
  it('is at most 200 characters and never ends in half a character', () => {
    expect(previewOf('📎'.repeat(300))).toBe('📎'.repeat(100));
    expect(previewOf(`x${'📎'.repeat(300)}`)?.length).toBe(199);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (text) => {
        const preview = previewOf(text);
        expect((preview ?? '').length).toBeLessThanOrEqual(200);
        expect((preview ?? '').isWellFormed()).toBe(true);
      }),
    );
  });
  it('finds own words behind a page of quotation', () => {
    expect(previewOf(`${'> all of this was said before\n'.repeat(200)}Yes.`)).toBe('Yes.');
  });
});
