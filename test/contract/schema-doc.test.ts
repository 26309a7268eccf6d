import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { openSqlite } from '../../src/base/sqlite.ts';
import { readPending } from '../../src/sync/read-pending.ts';
import { fill, makeFolders, makePlace, openInProcess, select } from './store-fixture.ts';

const page = readFileSync(new URL('../../docs/schema.md', import.meta.url), 'utf8');
const queries = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
const place = makePlace();

/** `### email_x` sections with the names in backticks in the first cell of their rows. */
function documented(): Map<string, string[]> {
  const sections = page
    .split(/^### /m)
    .slice(1)
    .map((text) => text.split(/^## /m)[0] ?? '');
  return new Map(sections.map((text) => [text.split('\n')[0] ?? '', namesIn(text)]));
}
const namesIn = (section: string): string[] =>
  section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''));
const privateNames = (): string[] =>
  [...(page.split('## Private')[1]?.split('## ')[0] ?? '').matchAll(/(\w+)`/g)].map((match) => match[1] ?? '');

describe('docs/schema.md', () => {
  beforeAll(async () => {
    const { store, close } = await openInProcess(place);
    const { emfdids } = await makeFolders(store, 'INBOX');
    await fill(store, emfdids[0] ?? 0, 3);
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const signal = new AbortController().signal;
    await readPending({ store, log, clock: systemClock, signal }, { countMax: 10, msMax: 10_000 });
    await close();
  });
  afterAll(() => place.remove());

  it('shows twelve queries', () => expect(queries).toHaveLength(12));
  it.each(queries.map((sql) => [sql.split('\n')[0] ?? '', sql]))('has a query that runs: %s', (_title, sql) => {
    const database = openSqlite(place.file);
    try {
      const statement = database.prepare(sql);
      if (statement.reader) expect(Array.isArray(statement.all())).toBe(true);
      else expect(statement.run().changes).toBe(1);
    } finally {
      database.close();
    }
  });
  it.each(queries.slice(0, 9).map((sql) => [sql]))(
    'has a query that finds rows without reading a whole table of messages: %s',
    (sql) => {
      const database = openSqlite(place.file);
      const plan = database.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all();
      const rows = database.prepare(sql).all();
      database.close();
      expect(rows.length).toBeGreaterThan(0);
      expect(
        plan.map(({ detail }) => detail).filter((detail) => /^SCAN (m|c|email_messages|email_contents)\b/.test(detail)),
      ).toEqual([]);
    },
  );
  it('names every table and column of the database, and none that does not exist', () => {
    const pages = documented();
    const tables = select<{ name: string }>(
      place,
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'email_search_%'",
    ).map(({ name }) => name);
    expect([...pages.keys()].sort()).toEqual(tables.filter((name) => name.startsWith('email_')).sort());
    for (const [table, names] of pages) {
      const columns = select<{ name: string }>(place, `SELECT name FROM pragma_table_info('${table}')`).map(
        ({ name }) => name,
      );
      expect(
        names.filter((name) => !columns.includes(name)),
        table,
      ).toEqual([]);
      expect(
        columns.filter((name) => !names.includes(name) && !privateNames().includes(name)),
        table,
      ).toEqual([]);
    }
  });
});
