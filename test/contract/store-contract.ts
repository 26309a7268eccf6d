/** One suite for every store: what store.ts promises, asked of real databases. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import {
  at,
  batch,
  execute,
  fill,
  later,
  listedFolder,
  listing,
  mail,
  makeFolders,
  makePlace,
  newAccount,
  type OpenedStore,
  removeAccount,
  type StorePlace,
  select,
} from './store-fixture.ts';

interface Counted {
  count: number;
}

export function describeStore(name: string, open: (place: StorePlace) => Promise<OpenedStore>): void {
  describe(name, () => {
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
    const changes = (): string[] =>
      select<{ kind: string }>(place, 'SELECT kind FROM email_changes ORDER BY seq').map((row) => row.kind);
    const inbox = async (): Promise<number> => (await makeFolders(store, 'INBOX')).emfdids[0] ?? 0;
    const folder = async (emfdid: number) => {
      const found = await store.folder(emfdid);
      if (!found) throw new Error(`no folder ${emfdid}`);
      return found;
    };

    describe('accounts', () => {
      it('gives back an account as it was given, with its password', async () => {
        const smtp = { host: 'smtp.example.com', port: 587, security: 'starttls', user: 'anna' } as const;
        const acntid = await store.addAccount(
          newAccount('anna@example.com', { acntid: 53, smtp, userId: 'u1', password: 'geheim ✓' }),
        );
        expect(acntid).toBe(53);
        expect(await store.account(53)).toMatchObject({
          email: 'anna@example.com',
          smtp,
          userId: 'u1',
          enabled: true,
          state: 'ok',
          vanishedTrust: 0,
        });
        expect(await store.password(53)).toBe('geheim ✓');
        expect(
          select<{ hit: number }>(
            place,
            "SELECT instr(password_sealed, CAST('geheim' AS BLOB)) AS hit FROM email_accounts",
          ),
        ).toEqual([{ hit: 0 }]);
      });
      it("names no disk when an application's foreign key keeps a row, and says so while it lasts", async () => {
        const acntid = await store.addAccount(newAccount('anna@example.com'));
        const keeping = 'CREATE TABLE crm (acntid INTEGER REFERENCES email_accounts (acntid))';
        execute(place, `${keeping}; INSERT INTO crm VALUES (${acntid})`);
        await expect(removeAccount(store, acntid)).rejects.toMatchObject({
          code: 'store_refused',
          detail: expect.stringContaining('FOREIGN KEY'),
        });
        execute(place, 'DELETE FROM crm');
        await removeAccount(store, acntid);
      });
      it('calls it a refusal, too, when a trigger misses its table', async () => {
        execute(place, 'CREATE TRIGGER crm AFTER INSERT ON email_accounts BEGIN INSERT INTO gone VALUES (1); END');
        await expect(store.addAccount(newAccount('anna@example.com'))).rejects.toMatchObject({
          code: 'store_refused',
          detail: expect.stringContaining('no such table: main.gone'),
        });
      });
      it('refuses the same login at the same host, and a number that is taken', async () => {
        await store.addAccount(newAccount('anna@example.com', { acntid: 1 }));
        await expect(store.addAccount(newAccount('anna@example.com'))).rejects.toMatchObject({
          code: 'account_exists',
        });
        await expect(store.addAccount(newAccount('bob@example.com', { acntid: 1 }))).rejects.toMatchObject({
          code: 'account_exists',
        });
        await expect(store.updateAccount(9, {})).rejects.toMatchObject({ code: 'account_unknown' });
      });
      it('frees an account of auth_error when its password changes, and keeps what was not given', async () => {
        const acntid = await store.addAccount(newAccount('anna@example.com', { name: 'Anna' }));
        await store.recordHealth(acntid, {
          state: 'auth_error',
          lastError: 'no',
          retryAt: later,
          checkedAt: at,
          failureCount: 3,
        });
        await store.updateAccount(acntid, { userId: 'u2' });
        expect((await store.account(acntid))?.state).toBe('auth_error');
        await store.updateAccount(acntid, { password: 'new' });
        expect(await store.account(acntid)).toMatchObject({
          state: 'ok',
          failureCount: 0,
          lastError: null,
          name: 'Anna',
          userId: 'u2',
          checkedAt: at,
        });
      });
      it('takes new_password out of the open column at once, and commits nothing when there is none', async () => {
        const acntid = await store.addAccount(newAccount('anna@example.com'));
        execute(place, "UPDATE email_accounts SET new_password = 'from sql'");
        expect(await store.takeNewPasswords()).toEqual([acntid]);
        expect(await store.password(acntid)).toBe('from sql');
        expect(select(place, 'SELECT new_password FROM email_accounts')).toEqual([{ new_password: null }]);
        expect(await store.takeNewPasswords()).toEqual([]);
      });
      it('removes an account with its own contents and leaves those that another account shares', async () => {
        const [one, two] = [await makeFolders(store, 'INBOX'), await makeFolders(store, 'INBOX')];
        for (const { emfdids } of [one, two]) await store.recordListing(listing(emfdids[0] ?? 0, 2, [[1, 2]]));
        await store.storeBatch(batch(one.emfdids[0] ?? 0, [mail(1, 'shared'), mail(2, 'own')]));
        await store.storeBatch(batch(two.emfdids[0] ?? 0, [mail(1, 'shared')]));
        execute(place, `INSERT INTO email_outbox (acntid, raw) VALUES (${one.acntid}, 'Subject: x')`);
        expect(await removeAccount(store, one.acntid)).toEqual({ folders: 1, messages: 2, outboxEntries: 1 });
        expect(select(place, 'SELECT subject FROM email_contents JOIN email_raw ON content_id = id')).toEqual([
          { subject: 'shared' },
        ]);
        expect(await store.account(one.acntid)).toBeUndefined();
        expect(changes().at(-1)).toBe('account_removed');
      });
      it('removes a large one in steps: it takes no mail meanwhile, nobody enables it, and its end is told last', async () => {
        const { acntid, emfdids } = await makeFolders(store, 'INBOX');
        const uids = Array.from({ length: 700 }, (_, index) => index + 1);
        await store.recordListing(listing(emfdids[0] ?? 0, 700, [[1, 700]]));
        await store.storeBatch(
          batch(
            emfdids[0] ?? 0,
            uids.map((uid) => mail(uid)),
          ),
        );
        expect(await store.removeAccount(acntid)).toEqual({ folders: 1, messages: 700, outboxEntries: 0 });
        // The end of a pass that was under way.
        const health = { state: 'backoff' as const, lastError: 'x', retryAt: null, checkedAt: at, failureCount: 1 };
        await store.recordHealth(acntid, health);
        expect(await store.account(acntid)).toMatchObject({
          enabled: false,
          state: 'ok',
          lastError: `being removed: \`backproc account remove ${acntid}\` goes on where it was interrupted`,
        });
        await expect(store.updateAccount(acntid, { enabled: true })).rejects.toMatchObject({ code: 'account_unknown' });
        const enabling = `UPDATE email_accounts SET enabled = 1 WHERE acntid = ${acntid}`;
        expect(() => execute(place, enabling)).toThrow('this account is being removed');
        const outbox = `INSERT INTO email_outbox (acntid, raw) VALUES (${acntid}, 'Subject: x')`;
        expect(() => execute(place, outbox)).toThrow('there is no such account');
        await expect(store.storeBatch(batch(emfdids[0] ?? 0, [mail(701)]))).rejects.toThrow();
        const step = await store.clearRemoved();
        expect(step.isDone).toBe(false);
        expect(step.messageCount).toBeGreaterThan(0);
        expect(step.messageCount).toBeLessThanOrEqual(500);
        expect(select(place, 'SELECT COUNT(*) AS n FROM email_messages')).toEqual([{ n: 700 - step.messageCount }]);
        expect(changes()).not.toContain('account_removed');
        // Begun again after a crash: what is left goes.
        expect(await removeAccount(store, acntid)).toMatchObject({ messages: 700 - step.messageCount });
        for (const table of ['email_messages', 'email_contents', 'email_raw', 'email_accounts', 'account_removals'])
          expect(select(place, `SELECT COUNT(*) AS n FROM ${table}`), table).toEqual([{ n: 0 }]);
        expect(changes().filter((kind) => kind === 'account_removed')).toHaveLength(1);
        expect(await store.clearRemoved()).toEqual({ messageCount: 0, isDone: true });
      });
    });

    describe('folders', () => {
      it('renames crosswise, keeps the priority the operator set, and tells what happened', async () => {
        const { acntid, emfdids } = await makeFolders(store, 'A', 'B');
        const [a = 0, b = 0] = emfdids;
        await store.setFolderPriority(a, 'high');
        const update = [
          { ...listedFolder('B'), emfdid: a },
          { ...listedFolder('A'), emfdid: b },
        ];
        const folders = await store.applyFolderPlan(acntid, { create: [], update, missing: [] }, at);
        expect(folders.map(({ path, emfdid, priority }) => [path, emfdid, priority])).toEqual([
          ['A', b, 'low'],
          ['B', a, 'high'],
        ]);
        expect(changes()).toEqual(['folder_added', 'folder_added', 'folder_renamed', 'folder_renamed']);
      });
      it('retires a missing folder with its messages, and brings all back with the same ids', async () => {
        const { acntid, emfdids } = await makeFolders(store, 'A');
        const [a = 0] = emfdids;
        await fill(store, a, 2);
        await store.applyFolderPlan(acntid, { create: [], update: [], missing: [{ emfdid: a, retire: false }] }, at);
        expect((await folder(a)).missingCount).toBe(1);
        expect(
          await store.applyFolderPlan(acntid, { create: [], update: [], missing: [{ emfdid: a, retire: true }] }, at),
        ).toEqual([]);
        const before = await store.storedMessages(a);
        expect(before.map((row) => row.isVanished)).toEqual([true, true]);
        await store.applyFolderPlan(
          acntid,
          { create: [], update: [{ ...listedFolder('A'), emfdid: a }], missing: [] },
          later,
        );
        expect(await folder(a)).toMatchObject({
          retiredAt: null,
          missingCount: 0,
          listedUid: 0,
          checkpoint: [],
          messageCount: null,
        });
        await store.recordListing(listing(a, 2, [], { reviveIds: before.map((row) => row.id) }));
        expect((await store.storedMessages(a)).filter((row) => !row.isVanished).map((row) => row.id)).toEqual(
          before.map((row) => row.id),
        );
      });
      it('lets a new folder take the path of one that the server no longer shows there', async () => {
        const { acntid, emfdids } = await makeFolders(store, 'A');
        const [a = 0] = emfdids;
        const plan = {
          create: [listedFolder('A', { mailboxId: 'new' })],
          update: [],
          missing: [{ emfdid: a, retire: false }],
        };
        const folders = await store.applyFolderPlan(acntid, plan, at);
        expect(folders).toHaveLength(1);
        expect(folders[0]).toMatchObject({ path: 'A', mailboxId: 'new' });
        expect((await folder(a)).retiredAt).toBe(at);
      });
      it('keeps a failure of a folder until its next pass ends', async () => {
        const a = await inbox();
        await store.failFolder(a, { lastError: 'no', retryAt: later, failureCount: 2 });
        await store.recordListing(listing(a, 0, []));
        await store.endPass({
          emfdid: a,
          uidValidity: 7,
          kind: 'full',
          uidNext: 4,
          highestModseq: 2n ** 62n + 1n,
          messageCount: 0,
          unseenCount: null,
          at,
        });
        expect(await folder(a)).toMatchObject({
          lastError: null,
          retryAt: null,
          failureCount: 0,
          fullSyncedAt: at,
          recentSyncedAt: at,
          firstSyncedAt: at,
          highestModseq: 2n ** 62n + 1n,
        });
        await store.recordUnchanged([a], later);
        expect(await folder(a)).toMatchObject({ recentSyncedAt: later, fullSyncedAt: at });
      });
    });

    describe('batches', () => {
      it('count their bytes for a local day, and for that day alone', async () => {
        const a = await inbox();
        await store.recordListing(listing(a, 4, [[1, 4]]));
        const days = ['2026-11-23', null, '2026-11-23', '2026-11-24'];
        for (const [index, day] of days.entries()) await store.storeBatch(batch(a, [mail(index + 1)], { day }));
        const bytes = [1, 2, 3, 4].map((uid) => mail(uid).raw.length);
        const { acntid } = await folder(a);
        expect(await store.trafficOn(acntid, '2026-11-24')).toBe(bytes[3]);
        expect(await store.trafficOn(acntid, '2026-11-23')).toBe(0);
      });

      it('stores equal bytes once, in whatever folder and account they lie', async () => {
        const { emfdids } = await makeFolders(store, 'A', 'B');
        for (const emfdid of emfdids) await store.recordListing(listing(emfdid, 2, [[1, 2]]));
        for (const emfdid of emfdids) await store.storeBatch(batch(emfdid, [mail(1, 'same'), mail(2, 'same')]));
        expect(select(place, 'SELECT COUNT(*) AS count FROM email_raw')).toEqual([{ count: 1 }]);
        expect(select(place, 'SELECT COUNT(*) AS count FROM email_messages')).toEqual([{ count: 4 }]);
        const [id = 0] = (await store.storedMessages(emfdids[0] ?? 0)).map((row) => row.id);
        expect(Buffer.from((await store.raw(id)) ?? []).toString()).toContain('Subject: same');
        expect(await store.idsFoundElsewhere(emfdids[0] ?? 0, [id])).toEqual([id]);
      });
      it('does not double a batch that is repeated after a crash, and moves the checkpoint with it', async () => {
        const a = await inbox();
        await store.recordListing(listing(a, 3, [[1, 3]]));
        expect(await store.storeBatch(batch(a, [mail(3), mail(2)]))).toEqual({ storedCount: 2, quarantinedUids: [] });
        expect((await folder(a)).checkpoint).toEqual([[2, 3]]);
        expect(await store.storeBatch(batch(a, [mail(3, 'mail 3', { flags: '\\Seen' }), mail(2)]))).toEqual({
          storedCount: 0,
          quarantinedUids: [],
        });
        expect((await store.storedMessages(a)).map(({ uid, flags }) => [uid, flags])).toEqual([
          [2, ''],
          [3, '\\Seen'],
        ]);
        expect(changes()).toEqual(['folder_added', 'message_added', 'message_added', 'message_flags']);
      });
      it('revives a tombstone of the same UID with the same id', async () => {
        const a = await inbox();
        await fill(store, a, 1);
        const [before] = await store.storedMessages(a);
        expect(await store.applyVanished({ emfdid: a, uidValidity: 7, uids: [[1, 9]], at })).toBe(1);
        expect(await store.applyVanished({ emfdid: a, uidValidity: 7, uids: [[1, 9]], at })).toBe(0);
        expect(await store.storeBatch(batch(a, [mail(1)]))).toMatchObject({ storedCount: 1 });
        expect(await store.storedMessages(a)).toEqual([before]);
      });
      it('gives other bytes under the UID of a row an id of their own, and the row its tombstone', async () => {
        const a = await inbox();
        await fill(store, a, 1);
        const [before] = await store.storedMessages(a);
        expect((await store.storeBatch(batch(a, [mail(1, 'other')]))).storedCount).toBe(1);
        expect((await store.storeBatch(batch(a, [mail(1, 'other')]))).storedCount).toBe(0);
        const after = await store.storedMessages(a);
        expect(after.map(({ id, isVanished }) => [id === before?.id, isVanished])).toEqual([
          [true, true],
          [false, false],
        ]);
        expect(
          await store.identitiesOf(
            a,
            after.map(({ id }) => id),
          ),
        ).toHaveLength(2);
        expect((await store.storeBatch(batch(a, [mail(1)]))).storedCount).toBe(1);
        expect((await store.storedMessages(a)).find(({ isVanished }) => !isVanished)?.id).toBe(before?.id);
      });
      it('writes one change row per batch during a first sync', async () => {
        const a = await inbox();
        await store.recordListing(listing(a, 2, [[1, 2]]));
        await store.storeBatch(batch(a, [mail(1), mail(2)], { isFirstSync: true }));
        expect(changes()).toEqual(['folder_added', 'messages_added']);
      });
      it('names what comes back during a first sync: whoever reads the ids above those it has would not see it', async () => {
        const a = await inbox();
        await store.recordListing(listing(a, 2, [[1, 2]]));
        await store.storeBatch(batch(a, [mail(1), mail(2)], { isFirstSync: true }));
        await store.applyVanished({ emfdid: a, uidValidity: 7, uids: [[1, 1]], at });
        await store.storeBatch(batch(a, [mail(1)], { isFirstSync: true }));
        expect(changes().slice(2)).toEqual(['message_vanished', 'message_added', 'messages_added']);
      });
      it('tells that a message has vanished and another has come where the UID is given to another one', async () => {
        const a = await inbox();
        await fill(store, a, 2);
        const before = changes().length;
        await store.storeBatch(batch(a, [mail(1, 'something else'), mail(2)]));
        await store.storeBatch(batch(a, [mail(1, 'something else')]));
        expect(changes().slice(before)).toEqual(['message_vanished', 'message_added']);
      });
      it('quarantines a message that cannot be stored and stores its neighbours', async () => {
        const a = await inbox();
        await store.recordListing(listing(a, 3, [[1, 3]]));
        const result = await store.storeBatch(batch(a, [mail(1), mail(2, 'broken', { sha256: 'short' }), mail(3)]));
        expect(result).toEqual({ storedCount: 2, quarantinedUids: [2] });
        expect((await folder(a)).checkpoint).toEqual([[1, 3]]);
        expect(select<{ raw: Buffer }>(place, 'SELECT raw FROM email_quarantine')[0]?.raw.toString()).toContain(
          'broken',
        );
        expect((await store.storeBatch(batch(a, [mail(2)]))).storedCount).toBe(1);
        expect(await store.quarantine(a)).toEqual([]);
      });
      it("tries again what an application's trigger refused, so that the mail is there once the trigger is mended", async () => {
        const a = await inbox();
        await store.recordListing(listing(a, 2, [[1, 2]]));
        execute(
          place,
          "CREATE TRIGGER crm AFTER INSERT ON email_messages WHEN new.uid = 2 BEGIN SELECT RAISE(ABORT, 'crm'); END",
        );
        expect(await store.storeBatch(batch(a, [mail(1), mail(2)]))).toEqual({ storedCount: 1, quarantinedUids: [2] });
        const sixHoursLater = new Date(Date.parse(at) + 6 * 60 * 60 * 1000).toISOString();
        expect(await store.quarantine(a)).toMatchObject([
          { uid: 2, error: 'message_unstorable: crm', retryAt: sixHoursLater },
        ]);
      });
      it('counts tries in quarantine, and makes a retried UID pending', async () => {
        const { acntid, emfdids } = await makeFolders(store, 'INBOX');
        const [a = 0] = emfdids;
        await store.recordListing(listing(a, 2, [[1, 2]]));
        const quarantined = [{ uid: 2, raw: null, error: 'no', retryAt: later }];
        for (let time = 0; time < 2; time += 1)
          await store.storeBatch(batch(a, [mail(1)], { quarantined, settled: [[1, 2]] }));
        expect(await store.quarantine(a)).toEqual([{ uid: 2, uidValidity: 7, error: 'no', tries: 2, retryAt: later }]);
        expect(await store.ledger(acntid)).toMatchObject([{ storedCount: 1, quarantinedCount: 1, pendingCount: 0 }]);
        expect(await store.retryQuarantined(a, 2, at)).toBe(1);
        expect((await store.quarantine(a))[0]?.retryAt).toBe(at);
        expect(await store.ledger(acntid)).toMatchObject([{ storedCount: 1, quarantinedCount: 0, pendingCount: 1 }]);
        await expect(store.retryQuarantined(a, 1, at)).rejects.toMatchObject({ code: 'not_found' });
      });
      it('makes all of a folder pending at once', async () => {
        const { acntid, emfdids } = await makeFolders(store, 'INBOX', 'Other');
        const [a = 0, b = 0] = emfdids;
        await store.recordListing(listing(a, 4, [[1, 4]]));
        await store.recordListing(listing(b, 1, [[1, 1]]));
        const bad = (...uids: number[]) => uids.map((uid) => ({ uid, raw: null, error: 'no', retryAt: later }));
        await store.storeBatch(
          batch(a, [mail(1)], {
            quarantined: bad(2, 4),
            settled: [
              [1, 2],
              [4, 4],
            ],
          }),
        );
        await store.storeBatch(batch(b, [], { quarantined: bad(1), settled: [[1, 1]] }));
        expect(await store.retryQuarantined(a, null, at)).toBe(2);
        expect((await store.quarantine(a)).map(({ retryAt }) => retryAt)).toEqual([at, at]);
        expect((await store.quarantine(b)).map(({ retryAt }) => retryAt)).toEqual([later]);
        expect(await store.ledger(acntid)).toMatchObject([
          { storedCount: 1, quarantinedCount: 0, pendingCount: 3 },
          { quarantinedCount: 1, pendingCount: 0 },
        ]);
        await store.retryQuarantined(b, null, at);
        await expect(store.retryQuarantined(b, 7, at)).rejects.toMatchObject({ code: 'not_found' });
      });
      it('places a body that is here already by its EMAILID', async () => {
        const { acntid, emfdids } = await makeFolders(store, 'A', 'B');
        const [a = 0, b = 0] = emfdids;
        for (const emfdid of emfdids) await store.recordListing(listing(emfdid, 1, [[1, 1]]));
        await store.storeBatch(batch(a, [mail(1, 'x', { emailId: 'M1' })]));
        const known = await store.contentsByEmailId(acntid, ['M1', 'M2']);
        const contentId = known.get('M1')?.contentId ?? 0;
        expect([...known.keys()]).toEqual(['M1']);
        const { raw: _raw, sha256: _sha256, headers: _headers, ...placement } = mail(1, 'x', { emailId: 'M1' });
        expect(
          await store.storeBatch(batch(b, [], { placements: [{ ...placement, contentId }], settled: [[1, 1]] })),
        ).toMatchObject({ storedCount: 1 });
        expect(await store.storedDigests(b)).toHaveLength(1);
      });
      it('refuses a write for another UIDVALIDITY and leaves no trace of it', async () => {
        const a = await inbox();
        await fill(store, a, 1);
        await expect(store.storeBatch(batch(a, [mail(2)], { uidValidity: 8 }))).rejects.toMatchObject({
          code: 'protocol_violation',
          scope: 'folder',
        });
        await expect(store.recordListing(listing(a, 1, [], { uidValidity: 8 }))).rejects.toMatchObject({
          scope: 'folder',
        });
        expect(select<Counted>(place, 'SELECT COUNT(*) AS count FROM email_contents')).toEqual([{ count: 1 }]);
      });
      it('keeps UIDs and MODSEQs beyond 31 and 53 bits', async () => {
        const a = await inbox();
        const uid = 4_294_967_295;
        await store.recordListing(listing(a, uid, [[uid, uid]]));
        await store.storeBatch(batch(a, [mail(uid, 'big', { modseq: 2n ** 62n })]));
        expect((await store.storedMessages(a)).map((row) => row.uid)).toEqual([uid]);
        expect(select(place, 'SELECT typeof(uid) AS t, CAST(modseq AS TEXT) AS m FROM email_messages')).toEqual([
          { t: 'integer', m: `${2n ** 62n}` },
        ]);
      });
    });

    describe('listings', () => {
      it('writes nothing when nothing differs', async () => {
        const a = await inbox();
        await fill(store, a, 3);
        const record = listing(a, 3, [], { flagChanges: [{ uid: 1, flags: '', modseq: null }] });
        await store.recordListing(record);
        const tables =
          'SELECT (SELECT group_concat(seq) FROM email_changes) AS seq, (SELECT hex(checkpoint) FROM email_folders) AS c';
        const before = select(place, tables);
        await store.recordListing(record);
        expect(select(place, tables)).toEqual(before);
      });
      it('applies flags once and tells of them once', async () => {
        const a = await inbox();
        await fill(store, a, 2);
        const change = {
          emfdid: a,
          uidValidity: 7,
          changes: [
            { uid: 1, flags: '\\Seen', modseq: 9n },
            { uid: 5, flags: 'x', modseq: 9n },
          ],
          at,
        };
        expect(await store.applyFlags(change)).toBe(1);
        expect(await store.applyFlags(change)).toBe(0);
        expect(await store.liveCounts(a)).toEqual({ live: 2, held: 0, former: 0, unseen: 1 });
      });
      it('holds deletions, replaces the set, and lets them go when approved', async () => {
        const { acntid, emfdids } = await makeFolders(store, 'INBOX');
        const [a = 0] = emfdids;
        await fill(store, a, 3);
        const ids = (await store.storedMessages(a)).map((row) => row.id);
        await store.recordListing(listing(a, 3, [], { held: { ids: ids.slice(0, 2), digest: 'd1', since: at } }));
        expect(await folder(a)).toMatchObject({ heldCount: 2, heldDigest: 'd1', heldSince: at });
        await store.recordListing(listing(a, 3, []));
        await store.recordListing(listing(a, 3, [], { held: { ids: ids.slice(1), digest: 'd2', since: later } }));
        expect((await store.storedMessages(a)).map((row) => row.isHeld)).toEqual([false, true, true]);
        await store.applyVanished({ emfdid: a, uidValidity: 7, uids: [[3, 3]], at });
        expect(await store.ledger(acntid)).toMatchObject([{ storedCount: 2, heldCount: 1 }]);
        expect(await store.approveDeletions(a, later)).toBe(1);
        expect(await folder(a)).toMatchObject({ heldCount: 0, heldDigest: null, heldSince: null });
        expect(await store.approveDeletions(a, later)).toBe(0);
      });
    });

    describe('a changed UIDVALIDITY', () => {
      it('moves matched rows, adopts by content what is fetched, and leaves the rest to the next listing', async () => {
        const a = await inbox();
        await fill(store, a, 3);
        const ids = (await store.storedIdentities(a)).map((row) => row.id);
        const [first = 0, second = 0] = ids;
        const { raw: _raw, sha256: _sha256, headers: _headers, ...placement } = mail(1);
        await store.applyReset({
          emfdid: a,
          uidValidity: 8,
          matches: [{ ...placement, flags: '\\Flagged', id: first }],
          listedUid: 2,
          pending: [[2, 2]],
          at,
        });
        expect(await folder(a)).toMatchObject({
          uidValidity: 8,
          resetCount: 1,
          messageCount: null,
          checkpoint: [[1, 1]],
        });
        const end = {
          emfdid: a,
          uidValidity: 8,
          kind: 'full',
          uidNext: 3,
          highestModseq: null,
          messageCount: 2,
          unseenCount: 1,
          at,
        } as const;
        await store.endPass(end);
        expect(await store.liveCounts(a)).toMatchObject({ live: 3, former: 2 });
        await store.storeBatch(batch(a, [mail(2, 'mail 2')], { uidValidity: 8 }));
        await store.recordListing(listing(a, 2, [], { uidValidity: 8, vanishedIds: ids.slice(2) }));
        await store.endPass(end);
        const live = (await store.storedMessages(a)).filter((row) => !row.isVanished);
        expect(live.map(({ id, uid, uidValidity }) => [id, uid, uidValidity])).toEqual([
          [first, 1, 8],
          [second, 2, 8],
        ]);
        expect((await folder(a)).resetCount).toBe(0);
        const reset = ['message_flags', 'folder_reset'];
        expect(changes().slice(-4)).toEqual([...reset, 'folder_reset', 'message_vanished']);
      });
      it('survives a server that goes back to the former one before a pass ended', async () => {
        const a = await inbox();
        await fill(store, a, 2);
        await store.applyReset({ emfdid: a, uidValidity: 8, matches: [], listedUid: 2, pending: [[1, 2]], at });
        await store.applyReset({ emfdid: a, uidValidity: 7, matches: [], listedUid: 2, pending: [[1, 2]], at });
        expect((await store.storeBatch(batch(a, [mail(1), mail(2)]))).storedCount).toBe(2);
        expect(await store.liveCounts(a)).toMatchObject({ live: 2, former: 0 });
        expect(select<Counted>(place, 'SELECT COUNT(*) AS count FROM email_messages')).toEqual([{ count: 2 }]);
      });
      it('going back to the former one, buries only what stands in the way of a UID', async () => {
        const a = await inbox();
        await fill(store, a, 2);
        await store.applyReset({ emfdid: a, uidValidity: 8, matches: [], listedUid: 0, pending: [], at });
        await store.applyReset({ emfdid: a, uidValidity: 7, matches: [], listedUid: 1, pending: [[1, 1]], at });
        const live = (await store.storedMessages(a)).filter((row) => !row.isVanished);
        expect(live.map(({ uid, uidValidity }) => [uid, uidValidity])).toEqual([[2, 7]]);
      });
    });

    describe('reads for people', () => {
      it('lists messages newest first, page by page', async () => {
        const a = await inbox();
        await fill(store, a, 3);
        const [newest, next] = await store.messages({ emfdid: a, limit: 2 });
        expect(newest).toMatchObject({
          uid: 3,
          subject: 'mail 3',
          from: [{ name: 'Anna', address: 'anna@example.com' }],
        });
        expect((await store.messages({ limit: 5, beforeId: next?.id ?? 0 })).map((row) => row.uid)).toEqual([1]);
      });
      it('reads presence as applications wrote it', async () => {
        execute(place, `INSERT INTO email_presence (user_id, last_seen_at) VALUES ('u1', '${at}')`);
        expect(await store.presence()).toEqual(new Map([['u1', at]]));
      });
    });

    describe('fencing', () => {
      it('refuses the writes of an engine that another one has followed, and not those of an edit', async () => {
        const edits = await open(place);
        const newer = await open(place);
        expect(await store.raiseEpoch()).toBe(1);
        const acntid = await store.addAccount(newAccount('anna@example.com'));
        expect(await newer.store.raiseEpoch()).toBe(2);
        await expect(store.recordVanishedTrust(acntid, 1)).rejects.toMatchObject({ code: 'fenced' });
        await edits.store.recordVanishedTrust(acntid, 2);
        await newer.store.recordVanishedTrust(acntid, 3);
        await Promise.all([edits.close(), newer.close()]);
        expect((await store.account(acntid))?.vanishedTrust).toBe(3);
      });
    });
  });
}
