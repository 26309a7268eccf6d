import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FetchItems } from '../../../src/imap/fetch-items.ts';
import { createFetchReader } from '../../../src/imap/fetch-reader.ts';

const limits = { lineBytesMax: 1000, literalBytesMax: 5000, answerBytesMax: 8000 };

/** What comes out when `bytes` come in pieces. */
async function read(
  pieces: readonly Buffer[],
  commandCount?: number,
): Promise<{ rows: FetchItems[]; foreign: Buffer }> {
  const rows: FetchItems[] = [];
  const foreign: Buffer[] = [];
  const reader = createFetchReader(limits, (items) => void rows.push(items), commandCount);
  for (const piece of pieces) foreign.push(...(await reader.take(piece)));
  return { rows, foreign: Buffer.concat(foreign) };
}

const cut = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length));
};

const bodies = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));
const row = fc.record({ uid: fc.integer({ min: 1, max: 2 ** 32 - 1 }), body: bodies }).map(({ uid, body }) => ({
  uid,
  body,
  wire: Buffer.concat([
    Buffer.from(`* 1 FETCH (UID ${uid} BODY[] {${body.length}}\r\n`),
    body,
    Buffer.from(' FLAGS (\\Seen))\r\n'),
  ]),
}));
const foreignLine = fc
  .oneof(
    fc.constantFrom(
      '* 5 EXISTS\r\n',
      '* 3 EXPUNGE\r\n',
      '* OK [UIDNEXT 7] x\r\n',
      '* VANISHED 1:4\r\n',
      '\r\n',
      '* BYE\n',
    ),
    bodies.map((name) => `* LIST () "/" {${name.length}}\r\n${name.toString('latin1')} \r\n`),
  )
  .map((text) => ({ wire: Buffer.from(text, 'latin1') }));

describe('the reader of bulk FETCH answers', () => {
  it('gives every row once and hands back everything else, wherever the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            row,
            foreignLine.filter(({ wire }) => wire[0] === 42),
          ),
          { maxLength: 12 },
        ),
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.constantFrom('A1 OK done\r\n* 9 EXISTS\r\n* 1 FETCH (UID 5 BODY[] {1}\r\nx)\r\n', '', '+ go\r\n'),
        async (answers, places, end) => {
          const wire = Buffer.concat([...answers.map((answer) => answer.wire), Buffer.from(end)]);
          const result = await read(cut(wire, places));
          const rows = answers.flatMap((answer) => ('uid' in answer ? [answer] : []));
          expect(result.rows.map(({ uid }) => uid)).toEqual(rows.map(({ uid }) => uid));
          expect(result.rows.map(({ source }) => source?.toString('hex'))).toEqual(
            rows.map(({ body }) => body.toString('hex')),
          );
          const others = answers.flatMap((answer) => ('uid' in answer ? [] : [answer.wire]));
          expect(result.foreign.toString('latin1')).toBe(
            Buffer.concat([...others, Buffer.from(end)]).toString('latin1'),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('waits for a row to be taken before it reads the next', async () => {
    const seen: string[] = [];
    const reader = createFetchReader(limits, async ({ uid }) => {
      seen.push(`begin ${uid}`);
      await Promise.resolve();
      seen.push(`end ${uid}`);
    });
    await reader.take(Buffer.from('* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\n'));
    expect(seen).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  it('tells between which rows the folder before was closed, however the bytes come', async () => {
    const wire = Buffer.from(
      '* 1 FETCH (UID 1)\r\n* OK [closed] left\r\n* OK [UIDNEXT 3] next\r\n* 1 FETCH (UID 2)\r\n1 OK done\r\n',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat()), async (places) => {
        const seen: unknown[] = [];
        const reader = createFetchReader(
          limits,
          ({ uid }) => void seen.push(uid),
          1,
          () => seen.push('closed'),
        );
        for (const piece of cut(wire, places)) await reader.take(piece);
        expect(seen).toEqual([1, 'closed', 2]);
      }),
    );
  });

  it('leaves out an answer that is cut short inside its parentheses, and goes on with the next', async () => {
    const result = await read([Buffer.from('* 1 FETCH (UID 1 FLAGS (\\Seen\r\n* 2 FETCH (UID 2)\r\n')]);
    expect(result.rows.map(({ uid }) => uid)).toEqual([2]);
  });

  it('takes rows until the last of several commands was answered; what the server asks for is no answer', async () => {
    const rows = [1, 2, 3].map((uid) => `* ${uid} FETCH (UID ${uid})\r\n`);
    const others = ['+ go on\r\n', '1 OK done\r\n', '2 OK done\r\n'];
    const wire = Buffer.from(`${rows.map((row, index) => row + others[index]).join('')}* 4 FETCH (UID 4)\r\n`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat()), async (places) => {
        const result = await read(cut(wire, places), 2);
        expect(result.rows.map(({ uid }) => uid)).toEqual([1, 2, 3]);
        expect(result.foreign.toString()).toBe(`${others.join('')}* 4 FETCH (UID 4)\r\n`);
      }),
    );
  });

  it.each([
    ['a line in pieces', [Buffer.from('* 9 X '), Buffer.alloc(600, 97), Buffer.alloc(600, 97)]],
    ['a literal', [Buffer.from('* 1 FETCH (BODY[] {5001}\r\n')]],
    ['a literal of 18 digits', [Buffer.from('* 1 FETCH (BODY[] {999999999999999999}\r\n')]],
    ['an answer of many literals', [Buffer.from(`* 1 FETCH (A {4000}\r\n${'x'.repeat(4000)} B {4000}\r\n`)]],
  ])('ends at %s beyond its bound', async (_, pieces) => {
    await expect(read(pieces)).rejects.toMatchObject({ code: 'response_too_large' });
  });
});
