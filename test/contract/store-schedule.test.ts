import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountTimes } from '../../src/store/schedule.ts';
import type { Store } from '../../src/store/store.ts';
import {
  at,
  batch,
  execute,
  later,
  listing,
  mail,
  makeFolders,
  makePlace,
  newAccount,
  type OpenedStore,
  openInProcess,
  openThreaded,
  removeAccount,
  type StorePlace,
  select,
} from './store-fixture.ts';

describe.each([
  ['SQLite store in process', openInProcess],
  ['SQLite store behind its thread', openThreaded],
])('%s', (_, open) => {
  let place: StorePlace;
  let opened: OpenedStore;
  let store: Store;
  beforeEach(async () => {
    place = makePlace();
    opened = await open(place);
    store = opened.store;
  });
  afterEach(async () => {
    await opened.close();
    place.remove();
  });
  const times = async (acntid: number): Promise<AccountTimes> => {
    const found = await store.accountTimes(acntid);
    if (!found) throw new Error(`no account ${acntid}`);
    return found;
  };
  const endPass = (emfdid: number, kind: 'recent' | 'full') =>
    store.endPass({
      emfdid,
      uidValidity: 7,
      kind,
      uidNext: 3,
      highestModseq: null,
      messageCount: 2,
      unseenCount: 0,
      at: later,
    });

  describe('the times of accounts', () => {
    it('are those of the account, its user and its folders', async () => {
      const { acntid, emfdids } = await makeFolders(store, 'INBOX', 'Old');
      const [inbox = 0, old = 0] = emfdids;
      expect(await times(acntid)).toMatchObject({
        server: 'mail.example.com:993',
        users: [],
        enabled: true,
        state: 'ok',
        failureCode: null,
        checkedAt: null,
      });
      await store.updateAccount(acntid, { userId: 'u1' });
      await store.setPresence('u1', at);
      await store.recordHealth(acntid, {
        state: 'backoff',
        lastError: 'timeout: FETCH: too slow',
        retryAt: later,
        checkedAt: at,
        failureCount: 2,
      });
      await store.setFolderPriority(inbox, 'high');
      await store.failFolder(old, { lastError: 'folder_missing: x', retryAt: later, failureCount: 1 });
      expect(await times(acntid)).toEqual({
        acntid,
        server: 'mail.example.com:993',
        users: [{ userId: 'u1', lastSeenAt: at }],
        enabled: true,
        state: 'backoff',
        failureCode: 'timeout',
        retryAt: later,
        checkedAt: at,
        folders: [
          { ...untouched, emfdid: inbox, priority: 'high' },
          { ...untouched, emfdid: old, retryAt: later },
        ],
      });
      expect(await store.accountTimes(999)).toBeUndefined();
    });

    it('tell of a folder what was synced and whether listed mail waits to be fetched', async () => {
      const { acntid, emfdids } = await makeFolders(store, 'INBOX');
      const [inbox = 0] = emfdids;
      const folder = async () => (await times(acntid)).folders[0];
      await store.recordListing(listing(inbox, 2, [[1, 2]]));
      await endPass(inbox, 'recent');
      expect(await folder()).toMatchObject({ isFirstSynced: false, hasPending: true, recentSyncedAt: later });
      await store.storeBatch(batch(inbox, [mail(1), mail(2)]));
      await endPass(inbox, 'full');
      expect(await folder()).toMatchObject({ isFirstSynced: true, hasPending: false, fullSyncedAt: later });
      execute(place, "UPDATE email_folders SET listed_uid = 1, checkpoint = '1'");
      expect(await folder()).toMatchObject({ hasPending: false });
      execute(place, "UPDATE email_folders SET listed_uid = 9, checkpoint = '1:3,5:9'");
      expect(await folder()).toMatchObject({ hasPending: true });
    });

    it('come in pages, by number, without folders that are retired', async () => {
      for (let index = 0; index < 7; index += 1) await makeFolders(store, 'INBOX', 'Old');
      execute(place, `UPDATE email_folders SET retired_at = '${at}' WHERE path = 'Old' AND acntid = 5`);
      await removeAccount(store, 2);
      const pages: number[][] = [];
      for (let after = 0, page = await store.accountTimesPage(0, 3); page.length > 0; ) {
        pages.push(page.map(({ acntid }) => acntid));
        for (const account of page) expect(account.folders).toHaveLength(account.acntid === 5 ? 1 : 2);
        after = page.at(-1)?.acntid ?? 0;
        page = await store.accountTimesPage(after, 3);
      }
      expect(pages).toEqual([
        [1, 3, 4],
        [5, 6, 7],
      ]);
      expect(await store.accountCount()).toBe(6);
    });
  });

  describe('presence', () => {
    it('is set, moved and cleared, and told from an instant on', async () => {
      await store.setPresence('u1', at);
      await store.setPresence('u2', later);
      expect(await store.presenceSince(at)).toEqual(new Map([['u2', later]]));
      await store.setPresence('u1', later);
      expect((await store.presenceSince(at)).size).toBe(2);
      await store.clearPresence('u1');
      await store.clearPresence('nobody');
      expect(await store.presence()).toEqual(new Map([['u2', later]]));
    });

    it('leads to accounts by an index', async () => {
      await store.addAccount(newAccount('a@example.com', { userId: 'u1' }));
      await store.addAccount(newAccount('b@example.com', { userId: 'u2' }));
      await store.addAccount(newAccount('c@example.com', { userId: 'u1' }));
      expect(await store.accountsOfUsers(['u1', 'nobody'])).toEqual([1, 3]);
      expect(await store.accountsOfUsers([])).toEqual([]);
      const plans = [
        "SELECT * FROM email_presence WHERE last_seen_at > '2026'",
        "SELECT acntid FROM email_accounts WHERE user_id IN (SELECT value FROM json_each('[]'))",
      ].map((sql) => select<{ detail: string }>(place, `EXPLAIN QUERY PLAN ${sql}`).map(({ detail }) => detail));
      for (const plan of plans)
        expect(plan.join()).toMatch(/USING (COVERING )?INDEX email_(presence_seen|accounts_user)/);
    });
  });

  describe('accounts that somebody changed', () => {
    it.each([
      ['enabled', 'UPDATE email_accounts SET enabled = 0 WHERE acntid = 1'],
      ['user_id', "UPDATE email_accounts SET user_id = 'u9' WHERE acntid = 1"],
      ['new_password', "UPDATE email_accounts SET new_password = 'x' WHERE acntid = 1"],
      ['priority', "UPDATE email_folders SET priority = 'off' WHERE acntid = 1"],
      [
        'several, with a conflict clause of the application’s',
        'UPDATE OR FAIL email_accounts SET enabled = 1 - enabled',
      ],
    ])('in SQL are told once: %s', async (_title, sql) => {
      await makeFolders(store, 'INBOX', 'Old');
      expect(await store.takeChangedAccounts()).toEqual([1]);
      expect(await store.takeChangedAccounts()).toEqual([]);
      execute(place, sql);
      execute(place, sql);
      expect(await store.takeChangedAccounts()).toEqual([1]);
      expect(await store.takeChangedAccounts()).toEqual([]);
    });

    it('are told when they are made, removed, or get a password or a server by command', async () => {
      const acntid = await store.addAccount(newAccount('a@example.com'));
      expect(await store.takeChangedAccounts()).toEqual([acntid]);
      await store.updateAccount(acntid, { password: 'x' });
      expect(await store.takeChangedAccounts()).toEqual([acntid]);
      await store.updateAccount(acntid, {
        imap: { host: 'b.example.com', port: 143, security: 'starttls', user: 'a' },
      });
      expect(await store.takeChangedAccounts()).toEqual([acntid]);
      await removeAccount(store, acntid);
      expect(await store.takeChangedAccounts()).toEqual([acntid]);
    });

    it('are those of a user who went away, and not of one who is still there', async () => {
      const acntid = await store.addAccount(newAccount('a@example.com', { userId: 'u1' }));
      await store.takeChangedAccounts();
      await store.setPresence('u1', at);
      await store.setPresence('u1', later);
      expect(await store.takeChangedAccounts()).toEqual([]);
      await store.setPresence('u1', at);
      expect(await store.takeChangedAccounts()).toEqual([acntid]);
      await store.clearPresence('u1');
      expect(await store.takeChangedAccounts()).toEqual([acntid]);
    });

    it('are not those that a pass has written, nor those set to what they were', async () => {
      const { acntid, emfdids } = await makeFolders(store, 'INBOX');
      const [inbox = 0] = emfdids;
      await store.takeChangedAccounts();
      await store.recordListing(listing(inbox, 2, [[1, 2]]));
      await store.storeBatch(batch(inbox, [mail(1), mail(2)]));
      await endPass(inbox, 'full');
      await store.recordUnchanged([inbox], later);
      await store.failFolder(inbox, { lastError: 'x', retryAt: later, failureCount: 1 });
      await store.recordVanishedTrust(acntid, 1);
      const health = { state: 'ok', lastError: null, retryAt: null, checkedAt: later, failureCount: 0 } as const;
      await store.recordHealth(acntid, health);
      execute(
        place,
        "UPDATE email_accounts SET enabled = 1, user_id = NULL; UPDATE email_folders SET priority = 'low'",
      );
      expect(select(place, 'SELECT * FROM account_news')).toEqual([]);
    });

    it('are taken a few thousand at a time, and none is forgotten', async () => {
      execute(
        place,
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7000)
         INSERT INTO email_accounts (email, imap_host, imap_port, imap_security, imap_user)
         SELECT i, 'mail.example.com', 993, 'tls', i FROM n`,
      );
      const counts = [];
      for (let taken = await store.takeChangedAccounts(); taken.length > 0; taken = await store.takeChangedAccounts())
        counts.push(taken.length);
      expect(counts).toEqual([5000, 2000]);
    });
  });

  describe('servers that rest', () => {
    it('are kept, replaced and forgotten', async () => {
      const rest = { failureCount: 1, retryAt: later, markedAt: at, lastError: 'timeout: x' };
      await store.recordServerRest('b.example.com:993', rest);
      await store.recordServerRest('a.example.com:993', { ...rest, failureCount: 2 });
      await store.recordServerRest('b.example.com:993', { ...rest, failureCount: 3 });
      expect((await store.serverRests()).map(({ server, failureCount }) => [server, failureCount])).toEqual([
        ['a.example.com:993', 2],
        ['b.example.com:993', 3],
      ]);
      await store.recordServerRest('a.example.com:993', null);
      expect(await store.serverRests()).toEqual([{ ...rest, server: 'b.example.com:993', failureCount: 3 }]);
    });
  });
});

const untouched = {
  priority: 'low',
  isSelectable: true,
  isFirstSynced: false,
  hasPending: false,
  recentSyncedAt: null,
  fullSyncedAt: null,
  retryAt: null,
};
