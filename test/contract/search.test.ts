import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SearchQuery } from '../../src/store/search.ts';
import { toMatch } from '../../src/store/sqlite/search-query.ts';
import type { Store } from '../../src/store/store.ts';
import { readAll, storeMails } from './reading-fixture.ts';
import { makeFolders, makePlace, type OpenedStore, openInProcess, select } from './store-fixture.ts';

const word = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
const letter = (from: string, subject: string, text: string, more = ''): string =>
  `From: ${from}\r\nTo: ${word('Łukasz Żółć')} <lukasz@example.pl>\r\nSubject: ${word(subject)}\r\n${more}Content-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`;

const mails = [
  letter(
    'Anna Kowalska <anna@example.com>',
    'Faktura za październik',
    'Proszę o zapłatę faktury. Zażółć gęślą jaźń w Łodzi.',
  ),
  letter(`${word('山田 太郎')} <yamada@example.jp>`, '請求書について', '株式会社東京の請求書をお送りします。JR東日本'),
  letter(
    'Jürgen Groß <juergen@example.de>',
    'Rechnung',
    'Die Straße ist gesperrt; bitte zahlen Sie 1.234,56 € an den Überbringer.',
  ),
  letter('김철수 <kim@example.kr>', '회의', '내일 회의를 합니다. Καλημέρα Σίσυφος, ещё, שָׁלוֹם, أحمد'),
  'From: shop@example.com\r\nSubject: Stub\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n\r\nPlease use another program.\r\n--a\r\nContent-Type: text/html\r\n\r\n<p>Only the HTML says swordfish</p>\r\n--a--\r\n--m\r\nContent-Type: application/pdf; name="quarterly-report.pdf"\r\n\r\nx\r\n--m--\r\n',
  letter('สมชาย <som@example.th>', 'สวัสดี', 'สวัสดีครับ ขอใบเสนอราคา'),
];

describe('search', () => {
  const place = makePlace();
  let opened: OpenedStore;
  let store: Store;
  let acntid: number;
  beforeAll(async () => {
    opened = await openInProcess(place);
    store = opened.store;
    const made = await makeFolders(store, 'INBOX', 'Archive');
    acntid = made.acntid;
    await storeMails(store, made.emfdids[0] ?? 0, mails);
    await storeMails(store, made.emfdids[1] ?? 0, mails.slice(0, 1));
    const other = await makeFolders(store, 'INBOX');
    await storeMails(store, other.emfdids[0] ?? 0, mails.slice(2, 3));
    await readAll(store);
  });
  afterAll(async () => {
    await opened.close();
    place.remove();
  });
  const ids = async (words: string, more: Partial<SearchQuery> = {}): Promise<number[]> =>
    (await store.search({ words, limit: 50, acntid, ...more })).map(({ id }) => id).sort((a, b) => a - b);

  it.each([
    ['faktura', [1]],
    ['FAKTURY zaplate', [1]],
    ['zażółć', [1]],
    ['gesla jazn', [1]],
    ['lodzi', [1]],
    ['Łodzi', [1]],
    ['pazdziernik', [1]],
    ['lukasz zolc', [1, 2, 3, 4, 6]],
    ['請求書', [2]],
    ['求書', [2]],
    ['京', [2]],
    ['東京の請求', [2]],
    ['JR東日本', [2]],
    ['東日', [2]],
    ['東西', []],
    ['山田', [2]],
    ['strasse', [3]],
    ['Straße', [3]],
    ['gross uberbringer', [3]],
    ['1.234,56', [3]],
    ['회의', [4]],
    ['내일 회의를', [4]],
    ['เสนอราคา', [6]],
    ['καλημερα ΣΙΣΥΦΟΣ', [4]],
    ['Καλημέρα σίσυφος', [4]],
    ['еще', [4]],
    ['שלום احمد', [4]],
    ['swordfish', [5]],
    ['quarterly', [5]],
    ['quarterly-report.pdf', [5]],
    ['anna@example.com', [1]],
    ['"bitte zahlen"', [3]],
    ['"zahlen bitte"', []],
    ['fakt*', [1]],
    ['rechnung -gesperrt', []],
    ['example -faktura -strasse', [2, 4, 5, 6]],
    ['-faktura', []],
    ['', []],
    ['!!! *** ""', []],
    ['nothing-like-this', []],
  ] as const)('finds by %j', async (words, expected) => expect(await ids(words)).toEqual(expected));
  it('keeps to account, folder, sender and time', async () => {
    expect(await ids('strasse', { acntid: acntid + 1 })).toEqual([8]);
    expect((await store.search({ words: 'strasse', limit: 9 })).length).toBe(2);
    expect(await ids('faktura', { path: 'Archive' })).toEqual([7]);
    expect(await ids('faktura', { path: 'inbox' })).toEqual([1]);
    expect(await ids('lukasz', { from: 'kowalska' })).toEqual([1]);
    expect(await ids('lukasz', { from: 'gross' })).toEqual([3]);
    expect(await ids('lukasz', { from: 'example.jp' })).toEqual([2]);
    expect(await ids('lukasz', { from: '山田' })).toEqual([2]);
    expect(await ids('lukasz', { from: '%' })).toEqual([]);
    expect(await ids('lukasz', { since: '2026-11-24T12:00:00.000Z' })).toHaveLength(5);
    expect(await ids('lukasz', { since: '2026-11-24T12:00:00.001Z' })).toEqual([]);
    expect(await store.search({ words: 'lukasz', limit: 2, acntid })).toHaveLength(2);
  });
  it('shows the words around what it found', async () => {
    const snippets = async (words: string): Promise<string[]> =>
      (await store.search({ words, limit: 1, acntid })).map(({ snippet }) => snippet);
    expect(await snippets('gesla')).toEqual(['Proszę o zapłatę faktury. Zażółć «gęślą» jaźń w Łodzi.']);
    expect((await snippets('請求'))[0]).toContain('«請求»');
    expect((await snippets('quarterly'))[0]).toBe('«quarterly»-report.pdf');
  });
  it('shows each message’s own words, where several have them', async () => {
    const own = await makeFolders(store, 'INBOX');
    const texts = ['my salary is low', 'her salary is high', 'no salary at all'];
    await storeMails(
      store,
      own.emfdids[0] ?? 0,
      texts.map((text) => letter('a@example.com', text, 'bitte')),
    );
    await readAll(store);
    const hits = await store.search({ words: 'salary', limit: 10, acntid: own.acntid });
    expect(new Set(hits.map(({ subject }) => subject))).toEqual(new Set(texts));
    for (const { subject, snippet } of hits) expect(snippet).toBe(subject?.replace('salary', '«salary»'));
  });
  it('has no syntax that a user could get wrong', async () => {
    const typed = fc.string({
      unit: fc.oneof(
        fc.constantFrom(
          '"',
          "'",
          '*',
          '-',
          ':',
          '(',
          ')',
          ' ',
          'AND',
          'NEAR',
          '^',
          '{',
          '\0',
          '\ud800',
          '東',
          'ß',
          'a',
        ),
        fc.string(),
      ),
    });
    await fc.assert(
      fc.asyncProperty(typed, async (words) => {
        expect(Array.isArray(await store.search({ words, from: words, path: words, limit: 5 }))).toBe(true);
      }),
    );
    expect(toMatch('x '.repeat(10_000))?.length).toBeLessThan(1000);
  });
  it('finds every word of a mail, in any letters, and what is typed from it', async () => {
    const texts = select<{ body_text: string }>(place, 'SELECT body_text FROM email_texts').map(
      ({ body_text }) => body_text,
    );
    const words = new Set(texts.flatMap((text) => text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []));
    for (const one of words) expect(await ids(one), one).not.toEqual([]);
  });
  it('can be made anew from the texts', async () => {
    await store.rebuildSearch();
    expect(await ids('swordfish')).toEqual([5]);
  });

  const python = spawnSync('python3', ['-c', 'import sqlite3; print(sqlite3.sqlite_version)'], { encoding: 'utf8' });
  const version = python.status === 0 ? python.stdout.trim() : '';
  if (version === '') console.log('search by an application is left out: no python3 with sqlite3 here');
  it.runIf(version !== '')(`answers an application with a SQLite of its own (${version})`, () => {
    const sql = `SELECT c.subject, snippet(email_search, -1, '[', ']', '…', 12) FROM email_search JOIN email_messages AS m
      ON m.content_id = email_search.rowid JOIN email_contents AS c ON c.id = m.content_id
      WHERE email_search MATCH ? AND +m.acntid = 1 AND m.vanished_at IS NULL AND m.emfdid = 1`;
    const program = `import sqlite3, json, sys
db = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)
print(json.dumps([db.execute(sys.argv[2], (words,)).fetchall() for words in sys.argv[3:]]))`;
    const asked = ['"zaplate"', '"請 求 書"', '"lodzi"', 'sender : "anna"', '"quarterly" *'];
    const answer = spawnSync('python3', ['-c', program, place.file, sql, ...asked], { encoding: 'utf8' });
    expect(answer.stderr).toBe('');
    const subjects = (JSON.parse(answer.stdout) as [string, string][][]).map((rows) =>
      rows.map(([subject]) => subject),
    );
    expect(subjects).toEqual([
      ['Faktura za październik'],
      ['請求書について'],
      ['Faktura za październik'],
      ['Faktura za październik'],
      ['Stub'],
    ]);
  });
});
