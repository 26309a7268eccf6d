import { describe, expect, it } from 'vitest';
import type { ObservedFolder } from '../../../src/imap/session.ts';
import type { Folder } from '../../../src/store/store.ts';
import { planFolders, renameCandidates } from '../../../src/sync/folder-plan.ts';

const full = { messages: 10, uidNext: 11, uidValidity: 7, highestModseq: null, unseen: 0 };
const observed = (path: string, more: Partial<ObservedFolder> = {}): ObservedFolder => ({
  path,
  delimiter: '/',
  role: null,
  isSelectable: true,
  mailboxId: null,
  status: full,
  ...more,
});
const stored = (emfdid: number, path: string, more: Partial<Folder> = {}): Folder =>
  ({
    emfdid,
    acntid: 1,
    path,
    delimiter: '/',
    role: null,
    priority: 'low',
    isSelectable: true,
    mailboxId: null,
    uidValidity: 7,
    uidNext: 11,
    messageCount: 10,
    missingCount: 0,
    retiredAt: null,
    ...more,
  }) as Folder;
const plan = (rows: readonly Folder[], folders: readonly ObservedFolder[], isComplete = true) =>
  planFolders(rows, { folders, isComplete });

describe('a listing', () => {
  it('equal to what is stored changes nothing', () => {
    expect(plan([stored(1, 'INBOX')], [observed('INBOX')])).toEqual({ create: [], update: [], missing: [] });
  });

  it('makes INBOX high and all else low', () => {
    const { create } = plan([], [observed('INBOX'), observed('Sent', { role: 'sent' })]);
    expect(create.map(({ path, priority }) => [path, priority])).toEqual([
      ['INBOX', 'high'],
      ['Sent', 'low'],
    ]);
  });

  it('without a folder counts it as missing, and retires it the second time', () => {
    const rows = [stored(1, 'INBOX'), stored(2, 'Gone', { uidValidity: 9 })];
    expect(plan(rows, [observed('INBOX')]).missing).toEqual([{ emfdid: 2, retire: false }]);
    const again = [stored(1, 'INBOX'), stored(2, 'Gone', { uidValidity: 9, missingCount: 1 })];
    expect(plan(again, [observed('INBOX')]).missing).toEqual([{ emfdid: 2, retire: true }]);
  });

  it('that may be cut short concludes nothing from an absence', () => {
    expect(plan([stored(1, 'INBOX'), stored(2, 'Gone')], [observed('INBOX')], false).missing).toEqual([]);
  });
});

describe('a renamed folder', () => {
  const row = stored(2, 'Old');
  const there = observed('New');
  const candidates = (rows: readonly Folder[], folders: readonly ObservedFolder[]) =>
    renameCandidates(rows, { folders, isComplete: true }).map((pair) => [pair.row.emfdid, pair.folder.path]);

  it('keeps its number when its mail has proved it, whatever the names', () => {
    const result = planFolders([row], { folders: [there], isComplete: true }, new Map([[there, row]]));
    expect(result).toMatchObject({ create: [], update: [{ emfdid: 2, path: 'New' }], missing: [] });
  });

  it('is a new one and a missing one without that proof', () => {
    expect(plan([row], [there])).toMatchObject({ create: [{ path: 'New' }], missing: [{ emfdid: 2, retire: false }] });
  });

  it('is looked for where UIDVALIDITY moved to another path, best count first', () => {
    const rows = [stored(1, 'INBOX'), row, stored(3, 'Kept', { uidValidity: 9 })];
    const kept = observed('Kept', { status: { ...full, uidValidity: 9 } });
    const fewer = observed('Fewer', { status: { ...full, messages: 4 } });
    expect(candidates(rows, [observed('INBOX'), fewer, there, kept])).toEqual([
      [2, 'New'],
      [2, 'Fewer'],
    ]);
  });

  it('is looked for also when another took its place, or two changed places', () => {
    const [a, b] = [stored(4, 'A', { uidValidity: 1 }), stored(5, 'B', { uidValidity: 2 })];
    const swapped = [
      observed('A', { status: { ...full, uidValidity: 2 } }),
      observed('B', { status: { ...full, uidValidity: 1 } }),
    ];
    expect(candidates([a, b], swapped)).toEqual([
      [5, 'A'],
      [4, 'B'],
    ]);
  });

  it.each([
    ['empty ones', { status: { ...full, messages: 0 } }],
    ['ones with a lower UIDNEXT', { status: { ...full, uidNext: 5 } }],
    ['ones without a STATUS', { status: null }],
  ])('is not looked for among %s', (_, more) => {
    expect(candidates([row], [observed('New', more)])).toEqual([]);
  });
});

describe('thousands of folders renamed at once, at a server that gives them all the same UIDVALIDITY', () => {
  it.each([
    ['with equal counts', 10],
    ['with other counts', 11],
  ])('%s are so many candidates as are looked into, not all pairs', (_, messages) => {
    const numbers = Array.from({ length: 3000 }, (__, index) => index);
    const rows = numbers.map((number) => stored(number, `Old/${number}`));
    const folders = numbers.map((number) => observed(`New/${number}`, { status: { ...full, messages } }));
    const startedMs = performance.now();
    expect(renameCandidates(rows, { folders, isComplete: true })).toHaveLength(200);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});

describe('a folder that holds no mail any more and is a container', () => {
  const container = observed('Parent', { isSelectable: false, status: null });

  it('is missing, and a new row is made for the container when that is certain', () => {
    expect(plan([stored(2, 'Parent')], [container])).toEqual({
      create: [],
      update: [],
      missing: [{ emfdid: 2, retire: false }],
    });
    expect(plan([stored(2, 'Parent', { missingCount: 1 })], [container])).toMatchObject({
      create: [{ path: 'Parent', isSelectable: false }],
      update: [],
      missing: [{ emfdid: 2, retire: true }],
    });
    const after = [
      stored(2, 'Parent', { retiredAt: '2026-11-01T00:00:00.000Z', missingCount: 2 }),
      stored(3, 'Parent', { isSelectable: false, uidValidity: null }),
    ];
    expect(plan(after, [container])).toEqual({ create: [], update: [], missing: [] });
  });

  it('waits for a listing that is complete', () => {
    expect(plan([stored(2, 'Parent', { missingCount: 1 })], [container], false)).toEqual({
      create: [],
      update: [],
      missing: [],
    });
  });
});

describe('a name without STATUS where others have one', () => {
  const ghost = observed('Ghost', { status: null });
  const retired = stored(2, 'Ghost', { retiredAt: '2026-11-01T00:00:00.000Z', missingCount: 2 });

  it('brings no retired folder back, and is not counted as seen', () => {
    expect(plan([retired, stored(1, 'INBOX')], [observed('INBOX'), ghost])).toEqual({
      create: [],
      update: [],
      missing: [],
    });
    const once = stored(2, 'Ghost', { missingCount: 1 });
    expect(plan([once, stored(1, 'INBOX')], [observed('INBOX'), ghost])).toEqual({
      create: [],
      update: [],
      missing: [],
    });
  });

  it('is no ghost while its row is live, or where no STATUS is given at all', () => {
    expect(plan([retired, stored(3, 'Ghost'), stored(1, 'INBOX')], [observed('INBOX'), ghost]).missing).toEqual([]);
    const silent = observed('INBOX', { status: null });
    expect(plan([retired, stored(1, 'INBOX')], [silent, ghost]).update).toMatchObject([{ emfdid: 2 }]);
  });
});

describe('a folder that comes back after it was retired', () => {
  it('is the same one again', () => {
    const rows = [stored(2, 'Back', { retiredAt: '2026-11-01T00:00:00.000Z', missingCount: 2 })];
    expect(plan(rows, [observed('Back')]).update).toMatchObject([{ emfdid: 2 }]);
  });
});
