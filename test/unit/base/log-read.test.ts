import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileTail } from '../../../src/base/file-tail.ts';
import { readLog } from '../../../src/base/log-read.ts';

let folder: string;
let now: Date;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backproc-log-'));
  now = new Date('2026-11-23T12:00:00Z');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function all(lines: AsyncGenerator<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines) found.push(line);
  return found;
}
const read = (more: { acntid?: number; follow?: boolean } = {}, signal = new AbortController().signal) =>
  readLog({ folder, timeZone: 'UTC', clock: () => now, follow: false, signal, ...more });

describe('reading the log', () => {
  it("gives today's whole lines, and those of one account in either format", async () => {
    const text = '[x] a [53,824]\n[x] b [5,3]\n{"acntid":53,"msg":"c"}\n{"acntid":530}\nstill being writ';
    writeFileSync(join(folder, '20261123-info.log'), text);
    expect(await all(read())).toHaveLength(4);
    expect(await all(read({ acntid: 53 }))).toEqual(['[x] a [53,824]', '{"acntid":53,"msg":"c"}']);
    expect(await all(read({ acntid: 8 }))).toEqual([]);
  });

  it('finds nothing where nothing was logged', async () => expect(await all(read())).toEqual([]));

  it('says that it cannot be read, and is no defect', async () => {
    mkdirSync(join(folder, '20261123-info.log'));
    await expect(all(read())).rejects.toMatchObject({ code: 'log_unreadable', detail: expect.stringMatching(/^E/) });
  });

  it('follows over midnight and loses no line of either day', async () => {
    const stop = new AbortController();
    const lines = read({ follow: true }, stop.signal);
    const file = (day: string) => join(folder, `${day}-info.log`);
    writeFileSync(file('20261123'), 'one\n');
    expect((await lines.next()).value).toBe('one');
    appendFileSync(file('20261123'), 'two\n');
    now = new Date('2026-11-24T00:00:00Z');
    writeFileSync(file('20261124'), 'three\n');
    expect([(await lines.next()).value, (await lines.next()).value]).toEqual(['two', 'three']);
    stop.abort();
    expect((await lines.next()).done).toBe(true);
  });
});

describe('the tail of a file', () => {
  it('is every whole line once, however the writing and reading interleave', async () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'ż', '\n', '📎'), maxLength: 12 }), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(pieces, async (texts) => {
        const file = join(folder, 'tail');
        rmSync(file, { force: true });
        const tail = openFileTail(file);
        const found: string[] = [];
        for (const text of texts) {
          appendFileSync(file, text);
          found.push(...(await all(tail.lines())));
        }
        await tail.close();
        await tail.close();
        expect(found).toEqual(texts.join('').split('\n').slice(0, -1));
      }),
      { numRuns: 100 },
    );
  });

  it('goes on in the new file when the old one was renamed, deleted or cut, having read the old one to its end', async () => {
    const file = join(folder, 'tail');
    const tail = openFileTail(file);
    const steps: [string, () => void, string[]][] = [
      ['written', () => writeFileSync(file, 'a\n'), ['a']],
      [
        'renamed',
        () => {
          appendFileSync(file, 'b\n');
          renameSync(file, `${file}.1`);
          writeFileSync(file, 'c\n');
        },
        ['b', 'c'],
      ],
      ['deleted', () => rmSync(file), []],
      ['made again', () => writeFileSync(file, 'd\ne\n'), ['d', 'e']],
      ['cut', () => truncateSync(file, 0), []],
      ['written again', () => appendFileSync(file, 'f\n'), ['f']],
    ];
    for (const [name, act, lines] of steps) {
      act();
      expect([name, await all(tail.lines())]).toEqual([name, lines]);
    }
    await tail.close();
  });

  it('gives a line longer than what is read at a time in pieces, and holds no more of it', async () => {
    const file = join(folder, 'tail');
    writeFileSync(file, `${'x'.repeat(600 * 1024)}\nshort\n`);
    const tail = openFileTail(file);
    const lines = await all(tail.lines());
    await tail.close();
    expect(lines.map((line) => line.length)).toEqual([262_144, 262_144, 90_112, 5]);
  });
});
