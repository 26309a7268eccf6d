import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPartTree } from '../../../src/mime/part-tree.ts';
import { decodeQuotedPrintable } from '../../../src/mime/quoted-printable.ts';
import { createAllowance, readLimits } from '../../../src/mime/read-limits.ts';
import { decodeBody, decodedSize } from '../../../src/mime/transfer-encoding.ts';

const bytes = fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array));

function decoded(encoding: string, body: string): { readonly bytes: Buffer; readonly size: number } {
  const raw = Buffer.from(`Content-Transfer-Encoding: ${encoding}\r\n\r\n${body}`, 'latin1');
  const part = readPartTree(raw, createAllowance(readLimits));
  return { bytes: decodeBody(raw, part), size: decodedSize(raw, part) };
}

const quoted = (given: Buffer): string =>
  [...given]
    .map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('')
    .replace(/.{72}/g, '$&=\r\n');

const sixBits = (value: number): string => (value === 0 ? '`' : String.fromCharCode(value + 32));
function uuencoded(given: Buffer): string {
  const lines = ['begin 644 a file.bin'];
  for (let at = 0; at < given.length; at += 45) {
    const line = given.subarray(at, at + 45);
    const groups = line.toString('hex').match(/.{1,6}/g) ?? [];
    const bits = groups.map((hex) => Number.parseInt(hex.padEnd(6, '0'), 16));
    lines.push(
      sixBits(line.length) + bits.map((n) => [18, 12, 6, 0].map((by) => sixBits((n >> by) & 63)).join('')).join(''),
    );
  }
  return [...lines, '`', 'end', ''].join('\r\n');
}

describe('transfer encodings', () => {
  it('give back any bytes that were encoded, and count them', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 4, max: 76 }), (given, width) => {
        const base64 = given.toString('base64').replace(new RegExp(`.{${width}}`, 'g'), '$&\r\n');
        const all = [
          decoded('BASE64', base64),
          decoded('quoted-printable', quoted(given)),
          decoded('x-uuencode', uuencoded(given)),
          decoded('UUENCODE', `A note.\r\n${uuencoded(given)}`),
        ];
        for (const { bytes: found, size } of all) {
          expect(found.equals(given)).toBe(true);
          expect(size).toBe(given.length);
        }
      }),
    );
  });
  it('never fail and never grow, whatever is to be decoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('=', 'A', '4', 'f', ' ', '\r\n', '\t', '-', 'é') }), (text) => {
        const all = ['base64', 'quoted-printable', 'x-uuencode'].map((encoding) => decoded(encoding, text).bytes);
        for (const { length } of [...all, decoded('uue', `begin 644 x\n${text}`).bytes])
          expect(length).toBeLessThanOrEqual(Buffer.byteLength(text, 'latin1'));
      }),
    );
  });
  it.each([
    ['a=\r\nb', 'ab'],
    ['a= \t\r\nb', 'ab'],
    ['a=\nb', 'ab'],
    ['a=', 'a'],
    ['100=25 =3d =zz = =', '100% = =zz = '],
    ['=C3=BC', 'ü'],
  ])('undo quoted-printable and keep what is none: %j', (text, expected) => {
    expect(decodeQuotedPrintable(Buffer.from(text)).toString()).toBe(expected);
  });
  it('decode base64 that was padded in the middle', () => {
    expect(decoded('base64', 'SGVsbG8g\r\nd29ybGQ=\r\nIQ==').bytes.toString()).toBe('Hello world!');
  });
  it('leave alone what is said to be uuencoded and is not', () => {
    expect(decoded('x-uuencode', 'no begin line\r\n').bytes.toString()).toBe('no begin line\r\n');
  });
  it('take no more than they are allowed', () => {
    const raw = Buffer.from(`Content-Transfer-Encoding: base64\r\n\r\n${'QUJD'.repeat(10_000)}`);
    const part = readPartTree(raw, createAllowance(readLimits));
    expect(decodeBody(raw, part, 300).length).toBeLessThanOrEqual(450);
  });
});
