import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { decodeBytes, decodeHeaderBytes } from '../../../src/mime/charset.ts';

const samples: readonly (readonly [charset: string, text: string])[] = [
  ['iso-8859-2', 'Zażółć gęślą jaźń'],
  ['windows-1250', 'Příliš žluťoučký kůň'],
  ['windows-1252', 'Price: 5 € – it’s “ok”…'],
  ['koi8-r', 'Договор на подпись'],
  ['windows-1251', 'Договор на подпись'],
  ['windows-1255', 'שלום עולם'],
  ['windows-1256', 'مرحبا بالعالم'],
  ['shift_jis', '請求書について'],
  ['euc-jp', '請求書について'],
  ['gb18030', '合同已经签好'],
  ['big5', '合約已經簽好'],
  ['euc-kr', '계약서를 보냅니다'],
  ['utf-16le', 'Łódź 東京'],
  ['utf-16be', 'Łódź 東京'],
  ['utf-32le', 'Łódź 東京'],
  ['utf-7', 'Größe aus München'],
  ['cp437', 'Größe ½'],
  ['cp850', 'Größe'],
  ['macintosh', 'Größe'],
  ['CP949', '계약서를'],
  ['tis-620', 'สวัสดี'],
];

describe('bytes to text', () => {
  it.each(samples)('in %s', (charset, text) => {
    expect(decodeBytes(iconv.encode(text, charset), charset)).toBe(text);
  });
  it('reads the dashes and quotes of windows-1252, whichever name its charset has', () => {
    for (const charset of ['iso-8859-1', 'us-ascii', 'latin1', 'cp1252', 'nonsense', null])
      expect(decodeBytes(Buffer.from('5 \x80 \x96 it\x92s', 'latin1'), charset)).toBe('5 € – it’s');
  });
  it('keeps the euro sign of Chinese mail, whichever name its charset has', () => {
    for (const charset of ['gb2312', 'gbk', 'cp936', 'gb18030'])
      expect(decodeBytes(Buffer.from([0xb6, 0xd4, 0xa2, 0xe3, 0x80]), charset)).toBe('对€€');
  });
  it('follows the bytes where they prove to be UTF-8, and the name where they do not', () => {
    expect(decodeBytes(Buffer.from('Grüße'), 'iso-8859-1')).toBe('Grüße');
    expect(decodeBytes(Buffer.from('Gr\xfc\xdfe', 'latin1'), 'utf-8')).toBe('Gr��e');
    expect(decodeBytes(Buffer.from('Gr\xfc\xdfe', 'latin1'), null)).toBe('Grüße');
    expect(decodeBytes(Buffer.from('\ufeffx'), null)).toBe('x');
  });
  it('does not take a header field for UTF-16 or UTF-7 because the body is', () => {
    expect(decodeHeaderBytes(Buffer.from('a+b-c'), 'utf-7')).toBe('a+b-c');
    expect(decodeHeaderBytes(Buffer.from('Subject'), 'UTF-16')).toBe('Subject');
    expect(decodeHeaderBytes(Buffer.from('Gr\xfc\xdfe', 'latin1'), 'windows-1252')).toBe('Grüße');
  });
  it('never fails, whatever the bytes and the name are', () => {
    const names = fc.oneof(
      fc.constantFrom(...samples.map(([name]) => name), 'nonsense', '', 'hz-gb-2312'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.uint8Array(), names, (given, name) => {
        expect(decodeBytes(Buffer.from(given), name).length).toBeLessThanOrEqual(given.length * 4 + 4);
      }),
    );
  });
});
