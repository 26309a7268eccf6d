import { describe, expect, it } from 'vitest';
import type { ObservedFolder } from '../../../src/imap/session.ts';
import type { Folder } from '../../../src/store/store.ts';
import { planFolders } from '../../../src/sync/folder-plan.ts';

const observed = (path: string, more: Partial<ObservedFolder> = {}): ObservedFolder => ({
  path,
  delimiter: '/',
  role: null,
  isSelectable: true,
  mailboxId: null,
  status: { messages: 10, uidNext: 11, uidValidity: 7, highestModseq: null, unseen: 0 },
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
  it('keeps its number by MAILBOXID', () => {
    const result = plan(
      [stored(2, 'Old', { mailboxId: 'M1', messageCount: 0 })],
      [observed('New', { mailboxId: 'M1' })],
    );
    expect([result.create, result.update.map(({ emfdid, path }) => [emfdid, path]), result.missing]).toEqual([
      [],
      [[2, 'New']],
      [],
    ]);
  });

  it('keeps its number by UIDVALIDITY and the numbers behind it', () => {
    expect(plan([stored(2, 'Old')], [observed('New')]).update).toMatchObject([{ emfdid: 2, path: 'New' }]);
  });

  it('is a new one when two could be it, or when it is empty', () => {
    expect(plan([stored(2, 'Old'), stored(3, 'Other')], [observed('New')]).create).toMatchObject([{ path: 'New' }]);
    const empty = { messages: 0, uidNext: 1, uidValidity: 7, highestModseq: null, unseen: 0 };
    const rows = [stored(2, 'Old', { uidNext: 1, messageCount: 0 })];
    expect(plan(rows, [observed('New', { status: empty })]).create).toMatchObject([{ path: 'New' }]);
  });

  it('whose path another folder took is told from it by MAILBOXID', () => {
    const result = plan(
      [stored(1, 'A', { mailboxId: 'M1' })],
      [observed('A', { mailboxId: 'M2' }), observed('B', { mailboxId: 'M1' })],
    );
    expect(result.create.map(({ path }) => path)).toEqual(['A']);
    expect(result.update.map(({ emfdid, path }) => [emfdid, path])).toEqual([[1, 'B']]);
  });
});

describe('a folder that comes back after it was retired', () => {
  it('is the same one again', () => {
    const rows = [stored(2, 'Back', { retiredAt: '2026-11-01T00:00:00.000Z', missingCount: 2 })];
    expect(plan(rows, [observed('Back')]).update).toMatchObject([{ emfdid: 2 }]);
  });
});
