import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportPart } from '../../../src/mime/export-part.ts';
import { type Part, readPartTree } from '../../../src/mime/part-tree.ts';
import { createAllowance, readLimits } from '../../../src/mime/read-limits.ts';

const tree = (raw: Buffer, limits = readLimits): Part => readPartTree(raw, createAllowance(limits));
const all = (part: Part): Part[] => [part, ...part.children.flatMap(all)];

/** A generated message: what it is made of, and the sections that IMAP would count in it. */
interface Made {
  readonly text: string;
  readonly leaves: readonly (readonly [number: string, body: string])[];
}
type Shape = { readonly body: string } | { readonly parts: readonly Shape[] } | { readonly message: Shape };

const body = fc.stringMatching(/^[a-z \r\n-]{0,30}$/);
const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ body }),
    fc.record({ parts: fc.array(tie('shape'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ message: tie('shape') }),
  ),
}));

let boundaries = 0;

/** `number`: of this part; `isRoot`: it is the body of a message, whose number is `number`. */
function make(given: Shape, number: string, isRoot: boolean): Made {
  const at = (index: number): string => (number === '' ? `${index}` : `${number}.${index}`);
  const own = isRoot ? at(1) : number;
  if ('body' in given) return { text: `\r\n${given.body}`, leaves: [[own, given.body]] };
  if ('message' in given) {
    const inner = make(given.message, own, true);
    return { text: `Content-Type: message/rfc822\r\n\r\n${inner.text}`, leaves: inner.leaves };
  }
  boundaries += 1;
  const boundary = `=_${boundaries}`;
  const parts = given.parts.map((part, index) => make(part, at(index + 1), false));
  const text = parts.map((part) => `--${boundary}\r\n${part.text}\r\n`).join('');
  return {
    text: `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\npreamble\r\n${text}--${boundary}--\r\nepilogue`,
    leaves: parts.flatMap(({ leaves }) => leaves),
  };
}

describe('the parts of a message', () => {
  it('are numbered as IMAP counts, and end where they should, however they are nested', () => {
    fc.assert(
      fc.property(shape, (given) => {
        const made = make(given, '', true);
        const raw = Buffer.from(`Subject: x\r\n${made.text}`, 'latin1');
        const roomy = { ...readLimits, depthMax: 1000 };
        const leaves = all(tree(raw, roomy)).filter(({ children }) => children.length === 0);
        expect(
          leaves.map(({ number, bodyStart, bodyEnd }) => [number, raw.toString('latin1', bodyStart, bodyEnd)]),
        ).toEqual(made.leaves);
      }),
    );
  });
  it('lie within the bytes and in each other, whatever the bytes are', () => {
    const pieces = [
      '--a\r\n',
      '--a--\r\n',
      '--',
      '\r\n',
      '\n',
      'Content-Type: multipart/mixed; boundary=a\r\n',
      ': ',
      'x',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces)), (chosen) => {
        const raw = Buffer.from(`Content-Type: multipart/mixed; boundary=a\r\n${chosen.join('')}`);
        for (const part of all(tree(raw))) {
          expect(part.headerStart).toBeLessThanOrEqual(part.bodyStart);
          expect(part.bodyStart).toBeLessThanOrEqual(part.bodyEnd);
          expect(part.bodyEnd).toBeLessThanOrEqual(raw.length);
          if (part.parent) expect(part.headerStart).toBeGreaterThanOrEqual(part.parent.bodyStart);
        }
      }),
    );
  });
  it('are exported by number, a nested message whole, and an unknown number not at all', () => {
    const inner = 'Subject: inner\r\n\r\nwords';
    const raw = Buffer.from(
      `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n${inner}\r\n--b--`,
    );
    expect(['1', '2', '2.1', '3', '', 'x'].map((number) => exportPart(raw, number)?.toString())).toEqual([
      'first',
      inner,
      'words',
      undefined,
      raw.toString().slice(raw.indexOf('--b')),
      undefined,
    ]);
  });
});
