import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFetchItems } from '../../../src/imap/fetch-items.ts';

const body = Buffer.from('Subject: x\r\n\r\nbody (UID 9) {3}\r\n');
const literal = (bytes: Buffer): string => `{${bytes.length}}\r\n`;

describe('items of a FETCH answer', () => {
  it('are read in any order, in any case, around the literal', () => {
    const parts = [
      'UID 5',
      'FLAGS (\\Seen $Label1 "odd flag")',
      'internaldate "17-Jul-1996 02:44:25 -0700"',
      'RFC822.SIZE 4286',
      'MODSEQ (9223372036854775807)',
      'EMAILID (M6d99ac3275bb4e)',
      `BODY[] ${literal(body)}`,
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(parts, { minLength: parts.length }), (shuffled) => {
        expect(parseFetchItems(`${shuffled.join(' ')})\r\n`, [body])).toEqual({
          uid: 5,
          flags: ['\\Seen', '$Label1', 'odd flag'],
          internalDate: '17-Jul-1996 02:44:25 -0700',
          size: 4286,
          modseq: 9223372036854775807n,
          emailId: 'M6d99ac3275bb4e',
          source: body,
        });
      }),
    );
  });

  it('that nobody asked for are passed over, however nested, with their literals', () => {
    const text = `ENVELOPE ("a" NIL ((NIL NIL "x" ${literal(body)})) "q\\"(\\\\") BODY[HEADER.FIELDS (DATE FROM)]<0> ${literal(body)} UID 7 X-GM-LABELS (\\Inbox ("deep")) BODY[] "quoted \\"text\\"")\r\n`;
    const items = parseFetchItems(text, [Buffer.from('1'), Buffer.from('2')]);
    expect(items).toMatchObject({ uid: 7, source: Buffer.from('quoted "text"') });
  });

  it.each([
    ['NIL instead of a body', 'UID 5 BODY[] NIL)'],
    ['a partial body', 'UID 5 BODY[]<0> "x")'],
    ['no body', 'UID 5 FLAGS ())'],
  ])('have no source with %s', (_, text) => {
    expect(parseFetchItems(text, [])).toMatchObject({ uid: 5, source: undefined });
  });

  it.each([
    ['UID 4294967296000', { uid: undefined }],
    ['UID -1', { uid: undefined }],
    ['UID (5)', { uid: undefined }],
    ['MODSEQ (x)', { modseq: undefined }],
    ['MODSEQ ()', { modseq: undefined }],
    ['FLAGS NIL', { flags: undefined }],
  ])('keep only values of their kind: %s', (text, expected) => {
    expect(parseFetchItems(`${text})`, [])).toMatchObject(expected);
  });

  it.each([
    'UID 5',
    'UID 5 FLAGS (\\Seen',
    'UID 5 BODY[] {3}\r\n)',
    'BODY[] "x',
    'UID )',
    '',
    '((',
    'UID 5 FLAGS (a "b',
  ])('are refused as a whole when the text is cut: %j', (text) => {
    expect(parseFetchItems(text, [])).toBeUndefined();
  });

  it('never throw and never hang, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('UID ', 'BODY[]', '(', ')', '"', '\\', '{', '}', '3', '{3}\r\n', '\u0000', 'é'),
          maxLength: 60,
        }),
        fc.array(
          fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
          { maxLength: 2 },
        ),
        (text, literals) => {
          parseFetchItems(text, literals);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
