import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explain } from '../../../../src/engine/schedule/explanation.ts';
import { day, hour, makeAccount, makeFolder, makeRules, minute, noonMs, second, seen } from '../schedule-fixture.ts';

const rules = makeRules();

describe('an explanation', () => {
  it('names each folder’s rules with their times, and what holds it back', () => {
    const folders = [
      makeFolder(),
      makeFolder({ emfdid: 2, priority: 'low', fullSyncedMs: noonMs - 2 * day, retryMs: noonMs + hour }),
      makeFolder({ emfdid: 3, priority: 'off' }),
    ];
    const [inbox, low, off] = explain(makeAccount(folders), rules, noonMs).folders;
    expect(inbox).toMatchObject({ rule: 'recent', dueMs: noonMs + 30 * minute, holds: [] });
    expect(inbox?.rules.map(({ name }) => name)).toEqual(['recent', 'full']);
    expect(low).toMatchObject({ rule: 'daily', dueMs: noonMs + hour, holds: [{ name: 'folder-backoff' }] });
    expect(off).toMatchObject({ dueMs: null, holds: [{ name: 'off', untilMs: Number.POSITIVE_INFINITY }] });
  });

  it('tells until when each user counts as logged in', () => {
    const { users, next } = explain(makeAccount([makeFolder()], seen(noonMs - minute, null)), rules, noonMs);
    expect(users.map(({ untilMs }) => untilMs)).toEqual([noonMs + 14 * minute, null]);
    expect(next).toMatchObject({ class: 'live', atMs: noonMs + 10 * minute });
  });

  it('says the same as the schedule: the account is due with its first folder, or when its last hold lets go', () => {
    const ms = fc.integer({ min: noonMs - day, max: noonMs + hour });
    const folder = fc
      .record({
        priority: fc.constantFrom('high' as const, 'low' as const, 'off' as const),
        recentSyncedMs: ms,
        fullSyncedMs: ms,
        retryMs: ms,
      })
      .map((more) => makeFolder(more));
    fc.assert(
      fc.property(fc.array(folder, { minLength: 1, maxLength: 5 }), ms, (folders, retryMs) => {
        const {
          next,
          holds,
          folders: explained,
          rules: whole,
        } = explain(makeAccount(folders, { retryMs }), rules, noonMs);
        const times = [...explained, ...whole].flatMap(({ dueMs }) => dueMs ?? []);
        expect(next?.atMs).toBe(Math.max(Math.min(...times), ...holds.map(({ untilMs }) => untilMs)));
      }),
    );
  });

  it('has a sentence for every rule', () => {
    const { rules: whole } = explain(makeAccount([], { checkedMs: null }), rules, noonMs + second);
    expect(whole).toMatchObject([{ name: 'new', text: expect.stringContaining('due at once') as unknown }]);
  });
});
