/** Several requests in one transaction: which of them stand when one fails. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSecrets } from '../../src/store/secrets.ts';
import { type Connection, createConnection } from '../../src/store/sqlite/connection.ts';
import { commitGroup, type Outcome, type WriteCall } from '../../src/store/sqlite/group-commit.ts';
import { openWriter } from '../../src/store/sqlite/open.ts';
import {
  batch,
  execute,
  listing,
  mail,
  makeFolders,
  makePlace,
  newAccount,
  openInProcess,
  type StorePlace,
  select,
} from './store-fixture.ts';

let place: StorePlace;
let c: Connection;
let emfdid: number;
beforeEach(async () => {
  place = makePlace();
  const { store, close } = await openInProcess(place);
  const { emfdids } = await makeFolders(store, 'INBOX');
  emfdid = emfdids[0] ?? 0;
  await store.recordListing(listing(emfdid, 4, [[1, 4]]));
  await close();
  c = createConnection(openWriter(place.file), createSecrets(place.keyFile));
});
afterEach(() => {
  c.database.close();
  place.remove();
});

/** As the store thread does it: until each has its outcome. How many were taken at a time comes with them. */
function commitAll(calls: readonly WriteCall[]): { outcomes: Outcome[]; taken: number[] } {
  const outcomes: Outcome[] = [];
  const taken: number[] = [];
  while (outcomes.length < calls.length) {
    const group = commitGroup(c, calls.slice(outcomes.length), () => undefined);
    expect(c.database.inTransaction).toBe(false);
    outcomes.push(...group);
    taken.push(group.length);
  }
  return { outcomes, taken };
}

const add = (name: string): WriteCall => ({ verb: 'addAccount', args: [newAccount(`${name}@example.com`)] });
const store = (...mails: ReturnType<typeof mail>[]): WriteCall => ({
  verb: 'storeBatch',
  args: [batch(emfdid, mails)],
});
const unstorable = mail(2, 'broken', { sha256: 'short' });

const emails = (): string[] =>
  select<{ email: string }>(place, "SELECT email FROM email_accounts WHERE email NOT LIKE 'u%' ORDER BY acntid").map(
    ({ email }) => email.slice(0, 1),
  );
const uids = (table: string): number[] =>
  select<{ uid: number }>(place, `SELECT uid FROM ${table} ORDER BY uid`).map(({ uid }) => uid);

describe('a group', () => {
  it('is one transaction', () => {
    expect(commitAll([add('a'), add('b'), store(mail(1))])).toMatchObject({ taken: [3] });
    expect(emails()).toEqual(['a', 'b']);
  });

  it('stands without the request that failed, and what came after it', () => {
    const { outcomes, taken } = commitAll([add('a'), add('b'), add('a'), add('a'), add('c')]);
    expect(outcomes.map((outcome) => 'error' in outcome)).toEqual([false, false, true, true, false]);
    expect(taken).toEqual([2, 1, 1, 1]);
    expect(emails()).toEqual(['a', 'b', 'c']);
  });

  it('is done again in parts where only one of them can be blamed', () => {
    const { outcomes } = commitAll([add('a'), store(mail(1), unstorable, mail(3)), add('b'), store(mail(4))]);
    expect(outcomes.map((outcome) => 'error' in outcome)).toEqual([false, false, false, false]);
    expect(outcomes[1]).toEqual({ value: { storedCount: 2, quarantinedUids: [2] } });
    expect(uids('email_messages')).toEqual([1, 3, 4]);
    expect(uids('email_quarantine')).toEqual([2]);
    expect(emails()).toEqual(['a', 'b']);
    expect(c.hasSavepoints).toBe(false);
  });

  it('stands without the request that rolled everything back', () => {
    execute(
      place,
      "CREATE TRIGGER crm AFTER INSERT ON email_messages WHEN new.uid = 2 BEGIN SELECT RAISE(ROLLBACK, 'crm'); END",
    );
    const raise: WriteCall = { verb: 'raiseEpoch', args: [] };
    const { outcomes } = commitAll([raise, add('a'), store(mail(1), mail(2), mail(3)), add('b')]);
    expect(outcomes.map((outcome) => 'error' in outcome)).toEqual([false, false, true, false]);
    expect(outcomes[0]).toEqual({ value: c.epoch });
    expect(uids('email_messages')).toEqual([]);
    expect(uids('email_quarantine')).toEqual([]);
    expect(emails()).toEqual(['a', 'b']);
  });

  it.each([
    ['email_contents', "new.subject = 'spam'"],
    ['email_raw', "instr(new.raw, CAST('spam' AS BLOB))"],
    ['email_messages', 'new.uid = 2'],
  ])('takes a row of %s that a trigger leaves out for no other, nor for stored', (table, when) => {
    execute(place, `CREATE TRIGGER crm BEFORE INSERT ON ${table} WHEN ${when} BEGIN SELECT RAISE(IGNORE); END`);
    const { outcomes } = commitAll([store(mail(1), mail(2, 'spam'), mail(3)), add('a')]);
    expect(outcomes[0]).toEqual({ value: { storedCount: 2, quarantinedUids: [2] } });
    expect(uids('email_messages')).toEqual([1, 3]);
    expect(uids('email_quarantine')).toEqual([2]);
    expect(emails()).toEqual(['a']);
  });
});
