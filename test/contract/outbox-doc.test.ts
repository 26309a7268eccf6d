import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { builtInProviders } from '../../src/outbox/limits.ts';
import { makePlace, newAccount, openInProcess } from './store-fixture.ts';

const page = readFileSync(new URL('../../docs/outbox.md', import.meta.url), 'utf8');
const queries = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
const place = makePlace();

describe('docs/outbox.md', () => {
  beforeAll(async () => {
    const { store, close } = await openInProcess(place);
    await store.addAccount(newAccount('anna@example.com'));
    await close();
  });
  afterAll(() => place.remove());

  it('has queries', () => expect(queries.length).toBeGreaterThanOrEqual(8));
  it.each(queries.map((sql) => [sql.split('\n')[0] ?? '', sql]))('has a statement that runs: %s', (_title, sql) => {
    const database = openSqlite(place.file);
    try {
      const statement = database.prepare(sql);
      if (statement.reader) expect(Array.isArray(statement.all())).toBe(true);
      else expect(statement.run().changes).toBe(1);
    } finally {
      database.close();
    }
  });
  it('names the limits of every provider that is built in', () => {
    const rows = page.split('\n').filter((line) => /^\| [\w.-]+\.(com|net|de)/.test(line));
    const documented = rows.flatMap((line) => {
      const [names = '', ...numbers] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      const [connections, messagesPerMinute, recipientsPerDay, recipientsPerMessage] = numbers.map((cell) =>
        cell === '' ? undefined : Number(cell.replace(',', '')),
      );
      return names
        .split(', ')
        .map((name) => [name, { connections, messagesPerMinute, recipientsPerDay, recipientsPerMessage }]);
    });
    const ours = Object.entries(builtInProviders).map(([name, limits]) => {
      const { connections, messagesPerMinute, recipientsPerDay, recipientsPerMessage } = limits;
      return [name, { connections, messagesPerMinute, recipientsPerDay, recipientsPerMessage }];
    });
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(ours));
  });
});
