import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  furtherForm,
  furtherWords,
  joinCharacters,
  separateCharacters,
  wordsBeyond,
} from '../../../src/base/search-words.ts';

describe('words that an index would not find by itself', () => {
  it.each([
    ['Łódź and Straße', 'lódź strasse'],
    ['請求書 JR東日本', '請 求 書 jr 東 日 本'],
    ['ＡＢＣ ﬁn ﾊﾝｶｸ', 'abc fin ハ ン カ ク'],
    ['회의를 สวัสดี', '회 의 를 ส ว ั ส ด ี'],
    ['zażółć', 'zażólć'],
    ['gęś résumé', ''],
    ['plain words only', ''],
    ['合同，附件', '合 同 附 件'],
    ['Καλημέρα ἄνθρωποι, ΣΊΣΥΦΟΣ λόγος', 'καλημερα ανθρωποι σισυφοσ λογοσ'],
    ['Ёлка ещё йогурт', 'елка еще'],
    ['שָׁלוֹם עולם', 'שלום'],
    ['أحمد مُحَمَّد رســـالة العالم', 'احمد محمد رسالة'],
    ['ـــ', ''],
  ])('of %j', (text, words) => expect(furtherWords(text)).toBe(words));
  it('are written alike when they are stored and when they are asked for', () => {
    const word = fc.string({
      unit: fc.constantFrom(...Array.from('łßØaé東京ﾊﬁＡ회7άςЁأـ'), '\u064e'),
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(word, word, (asked, other) => {
        const form = furtherForm(asked);
        if (form === null) expect(furtherWords(asked)).toBe('');
        else expect(furtherWords(`${other} ${asked}, ${other}`)).toContain(form);
      }),
    );
  });
  it('are bounded by the text, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(furtherWords(text).length).toBeLessThanOrEqual(text.length * 20);
        expect(furtherForm(text) ?? '').toBe((furtherForm(text) ?? '').trim());
      }),
    );
  });
  it('are put together again for showing', () => {
    expect(separateCharacters('東京JR 駅')).toBe('東 京 JR 駅');
    expect(joinCharacters('… 領 収 «請 求» «書» に abc')).toBe('… 領収«請求書»に abc');
  });
});

describe('words that HTML has beyond the plain text', () => {
  it('are none when the same lines stand there, wrapped or not', () => {
    expect(wordsBeyond('one two three\nfour', 'one two\nthree\n\nfour')).toBe('');
  });
  it('are those that the text lacks, once each, in lower case', () => {
    expect(wordsBeyond('Hello Bob\nClick HERE, here or there', 'hello bob\nsomething')).toBe('click here or there');
  });
  it('are complete: nothing of the HTML is in neither', () => {
    const words = fc
      .array(fc.constantFrom('alpha', 'alphabet', 'bet', 'beta', 'gamma', '\n', 'Łódź', '東京'))
      .map((list) => list.join(' '));
    fc.assert(
      fc.property(words, words, (html, text) => {
        const found = new Set(`${wordsBeyond(html, text)} ${text}`.toLowerCase().split(/\s+/));
        for (const word of html.toLowerCase().match(/\S+/g) ?? []) expect(found.has(word)).toBe(true);
      }),
    );
  });
});
