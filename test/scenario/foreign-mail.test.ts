/** Mail that other projects test with: stored byte for byte, read without harm, and found by the words that Python reads in it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { readAll, storeMails } from '../contract/reading-fixture.ts';
import { makeFolders, makePlace, openInProcess, select } from '../contract/store-fixture.ts';
import { fetchCorpora } from '../support/corpora.ts';

const { files, missing } = fetchCorpora();
for (const reason of missing) console.log(`foreign mail left out: ${reason}`);

/** Prints, for each file, words of its inline texts in plain letters. */
const pythonProgram = `import sys, json, re, email
for path in json.load(sys.stdin):
    words = set()
    for part in email.message_from_bytes(open(path, 'rb').read()).walk():
        if part.get_content_type() != 'text/plain' or part.get_content_disposition() == 'attachment': continue
        text = (part.get_payload(decode=True) or b'').decode('ascii', 'replace') if not part.is_multipart() else ''
        words.update(re.findall(r'(?<![^\\s])[a-z]{4,20}(?![^\\s])', text))
    print(json.dumps(sorted(words)[:12]))`;

describe.runIf(files.length > 0)(`${files.length} mails of other projects`, () => {
  const place = makePlace();
  let store: Store;
  let close: () => Promise<void>;
  const raws = files.map((file) => readFileSync(file));
  beforeAll(async () => {
    ({ store, close } = await openInProcess(place));
    const { emfdids } = await makeFolders(store, 'INBOX');
    await storeMails(store, emfdids[0] ?? 0, raws);
  });
  afterAll(async () => {
    await close();
    place.remove();
  });

  it('are all read, into text that is well-formed, and their bytes stay as they were', async () => {
    const { readCount, failedCount, hasMore } = await readAll(store);
    const contents = select<{ n: number }>(place, 'SELECT COUNT(*) AS n FROM email_contents')[0]?.n;
    expect({ readCount, failedCount, hasMore }).toEqual({ readCount: contents, failedCount: 0, hasMore: false });
    for (const [index, raw] of raws.entries())
      expect(Buffer.from((await store.raw(index + 1)) ?? []).equals(raw)).toBe(true);
    const bad = `SELECT content_id FROM email_texts WHERE instr(body_text, char(0)) OR instr(body_html, char(0)) OR instr(words, char(0))
      OR body_text <> CAST(CAST(body_text AS BLOB) AS TEXT)`;
    expect(select(place, bad)).toEqual([]);
  });
  const hasPython = spawnSync('python3', ['--version']).status === 0;
  if (!hasPython) console.log('foreign mail is not compared with another reader: no python3 here');
  it.runIf(hasPython)('are found by words that Python reads in them', async () => {
    const { stdout, stderr } = spawnSync('python3', ['-c', pythonProgram], {
      input: JSON.stringify(files),
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    expect(stderr).toBe('');
    const words = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as string[]);
    const lost: string[] = [];
    for (const [index, list] of words.entries()) {
      const { contentId } = {
        contentId: select<{ id: number }>(
          place,
          `SELECT content_id AS id FROM email_messages WHERE uid = ${index + 1}`,
        )[0]?.id,
      };
      for (const word of list) {
        const found = select(
          place,
          `SELECT 1 FROM email_search WHERE email_search MATCH '"${word}"' AND rowid = ${contentId}`,
        );
        if (found.length === 0) lost.push(`${files[index]?.split('/').at(-1)}: ${word}`);
      }
    }
    expect(lost).toEqual([]);
    expect(words.flat().length).toBeGreaterThan(100);
  });
});
