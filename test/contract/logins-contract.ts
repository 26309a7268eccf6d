/** What store/logins.ts promises, asked of real databases. */
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoginChanges } from '../../src/store/logins.ts';
import type { Store } from '../../src/store/store.ts';
import {
  at,
  execute,
  later,
  makePlace,
  newAccount,
  type OpenedStore,
  removeAccount,
  type StorePlace,
  select,
} from './store-fixture.ts';

export const client = {
  preset: null,
  clientId: 'app',
  tokenUrl: 'https://login.example.com/token',
  scope: 'mail',
  clientSecret: 'client-secret',
  refreshToken: 'refresh-1',
};

const token = (name: string) => ({ token: name, refreshAt: at, expiresAt: later });
const unreadable = { code: 'secret_unreadable' };

export function describeLogins(name: string, open: (place: StorePlace) => Promise<OpenedStore>): void {
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
    const add = (login: LoginChanges = { oauth: client }, email = 'anna@example.com'): Promise<number> =>
      store.addAccount(newAccount(email, { login }));
    const lease = (acntid: number, generation: number, holder: string, from = at, until = later): Promise<boolean> =>
      store.leaseGrant({ acntid, generation, holder, at: from, until });

    describe('a login', () => {
      it('tells what there is, and no secret of it', async () => {
        const acntid = await add({ loginUser: 'boss', oauth: client, passwordCommand: ['pass', 'show'] });
        const login = await store.login(acntid);
        expect(login).toEqual({
          loginUser: 'boss',
          hasPassword: false,
          hasPasswordCommand: true,
          oauth: { preset: null, clientId: 'app', tokenUrl: client.tokenUrl, scope: 'mail' },
          hasRefreshToken: true,
          hasClientSecret: true,
          accessTokenExpiresAt: null,
          refreshError: null,
        });
        const file = Buffer.concat(
          ['', '-wal'].filter((end) => existsSync(place.file + end)).map((end) => readFileSync(place.file + end)),
        );
        expect(file.includes('refresh-1') || file.includes('client-secret')).toBe(false);
      });
      it('of a plain account is nothing but a password, and of no account undefined', async () => {
        const acntid = await store.addAccount(newAccount('bob@example.com', { password: 'x' }));
        expect(await store.login(acntid)).toMatchObject({ loginUser: null, hasPassword: true, oauth: null });
        expect([await store.login(99), await store.grant(acntid), await store.passwordCommand(acntid)]).toEqual([
          undefined,
          undefined,
          undefined,
        ]);
      });
      it('is changed in part, goes with its account, and frees it of auth_error', async () => {
        const acntid = await add();
        await store.recordHealth(acntid, {
          state: 'auth_error',
          lastError: 'no',
          retryAt: later,
          checkedAt: at,
          failureCount: 1,
        });
        await store.updateAccount(acntid, { login: { oauth: { refreshToken: 'refresh-2' } } });
        expect(await store.grant(acntid)).toMatchObject({ ...client, refreshToken: 'refresh-2', generation: 2 });
        expect((await store.account(acntid))?.state).toBe('ok');
        await store.updateAccount(acntid, { login: { oauth: null, passwordCommand: ['/bin/pw'] } });
        expect(await store.grant(acntid)).toBeUndefined();
        expect(await store.passwordCommand(acntid)).toEqual(['/bin/pw']);
        await removeAccount(store, acntid);
        expect(select(place, 'SELECT * FROM account_logins')).toEqual([]);
      });
      it('is refused as a whole, with its account, when a grant has nowhere to go', async () => {
        await expect(add({ oauth: { clientId: 'app' } })).rejects.toMatchObject({ code: 'usage' });
        expect(await store.accounts()).toEqual([]);
      });
      it('that a program wrote into the database is not believed', async () => {
        const acntid = await add({ oauth: client, passwordCommand: ['/bin/pw'] });
        const other = await add({ oauth: client }, 'bob@example.com');
        execute(place, "UPDATE account_logins SET token_url = 'https://evil.example/token' WHERE acntid = 1");
        await expect(store.grant(acntid)).rejects.toMatchObject(unreadable);
        execute(
          place,
          `UPDATE account_logins SET password_command_sealed = (SELECT password_command_sealed FROM account_logins WHERE acntid = ${acntid}) WHERE acntid = ${other}`,
        );
        await expect(store.passwordCommand(other)).rejects.toMatchObject(unreadable);
        execute(place, `UPDATE account_logins SET password_command_sealed = CAST('["/bin/sh"]' AS BLOB)`);
        await expect(store.passwordCommand(acntid)).rejects.toMatchObject(unreadable);
      });
    });

    describe('a refresh', () => {
      it('is one’s own for as long as the lease lasts, and its end is the next one’s beginning', async () => {
        const acntid = await add();
        const taken = await Promise.all(['a', 'b', 'c'].map((holder) => lease(acntid, 1, holder)));
        expect(taken.filter(Boolean)).toHaveLength(1);
        expect(await lease(acntid, 1, 'd', '2026-11-25T11:59:59.999Z', later)).toBe(false);
        expect(await lease(acntid, 1, 'e', later, '2026-11-26T12:00:00.000Z')).toBe(true);
      });
      it('is another’s, whose lease was taken while we were held up between our clock and the store', async () => {
        const acntid = await add();
        expect(await lease(acntid, 1, 'a', '2026-11-25T12:00:05.000Z', '2026-11-25T12:00:50.000Z')).toBe(true);
        expect(await lease(acntid, 1, 'b', '2026-11-25T12:00:00.000Z', '2026-11-25T12:00:45.000Z')).toBe(false);
      });
      it('is not held up by a lease from a clock that was set back', async () => {
        const acntid = await add();
        await lease(acntid, 1, 'a', later, '2026-11-26T12:00:00.000Z');
        expect(await lease(acntid, 1, 'b', at, later)).toBe(true);
      });
      it('keeps a rotated refresh token with the access token, in the next generation', async () => {
        const acntid = await add();
        await lease(acntid, 1, 'a');
        expect(
          await store.saveGrant({ acntid, generation: 1, accessToken: token('t1'), refreshToken: 'refresh-2' }),
        ).toBe(true);
        expect(await store.grant(acntid)).toMatchObject({
          refreshToken: 'refresh-2',
          accessToken: token('t1'),
          generation: 2,
          leaseUntil: null,
          failure: null,
        });
        await lease(acntid, 2, 'a');
        await store.saveGrant({ acntid, generation: 2, accessToken: token('t2'), refreshToken: null });
        expect(await store.grant(acntid)).toMatchObject({ refreshToken: 'refresh-2', generation: 3 });
      });
      it('that comes after another, or after an edit, changes nothing', async () => {
        const acntid = await add();
        await store.updateAccount(acntid, { login: { oauth: { refreshToken: 'by hand' } } });
        expect(await lease(acntid, 1, 'a')).toBe(false);
        const late = { acntid, generation: 1, accessToken: token('late'), refreshToken: 'late' };
        expect(await store.saveGrant(late)).toBe(false);
        await lease(acntid, 2, 'b');
        const failure = { kind: 'refused', error: 'no', retryAt: later, count: 1 } as const;
        await store.failGrant({ acntid, generation: 1, holder: 'a', failure });
        await store.failGrant({ acntid, generation: 2, holder: 'a', failure });
        expect(await store.grant(acntid)).toMatchObject({
          refreshToken: 'by hand',
          accessToken: null,
          failure: null,
          leaseUntil: later,
        });
      });
      it('that failed says so until one succeeds or the grant is changed', async () => {
        const acntid = await add();
        const failure = { kind: 'unavailable', error: 'HTTP 500', retryAt: later, count: 2 } as const;
        await lease(acntid, 1, 'a');
        await store.failGrant({ acntid, generation: 1, holder: 'a', failure });
        expect(await store.grant(acntid)).toMatchObject({ failure, leaseUntil: null, generation: 1 });
        expect((await store.login(acntid))?.refreshError).toBe('HTTP 500');
        await store.updateAccount(acntid, { login: { oauth: { scope: null } } });
        expect(await store.grant(acntid)).toMatchObject({ failure: null, scope: null });
      });
      it('is kept even when a newer engine has taken the store over', async () => {
        const acntid = await add();
        await store.raiseEpoch();
        const newer = await open(place);
        await newer.store.raiseEpoch();
        await newer.close();
        await expect(lease(acntid, 1, 'a')).rejects.toMatchObject({ code: 'fenced' });
        expect(await store.saveGrant({ acntid, generation: 1, accessToken: token('t'), refreshToken: 'r' })).toBe(true);
      });
    });

    describe('readers of an account', () => {
      it('are those set here or by an application, each once', async () => {
        const acntid = await add({});
        await store.updateAccount(acntid, { readers: ['u2', 'u1', 'u2'] });
        execute(place, `INSERT INTO email_account_users VALUES (${acntid}, 'u3')`);
        const other = await store.addAccount(newAccount('bob@example.com', { readers: ['u1'] }));
        const both = new Map([
          [acntid, ['u1', 'u2', 'u3']],
          [other, ['u1']],
        ]);
        expect(await store.readers()).toEqual(both);
        await store.updateAccount(acntid, { readers: [] });
        await removeAccount(store, other);
        expect(await store.readers()).toEqual(new Map());
      });
    });

    describe('the engine', () => {
      it('counts an account’s readers among those who look at it, its owner once', async () => {
        const acntid = await store.addAccount(
          newAccount('anna@example.com', { userId: 'u1', readers: ['u1', 'u2', 'u3'] }),
        );
        await store.addAccount(newAccount('bob@example.com', { userId: 'u2' }));
        await store.setPresence('u3', at);
        const users = [
          { userId: 'u1', lastSeenAt: null },
          { userId: 'u2', lastSeenAt: null },
          { userId: 'u3', lastSeenAt: at },
        ];
        expect((await store.accountTimes(acntid))?.users).toEqual(users);
        expect((await store.accountTimesPage(0, 9)).map((times) => times.users.length)).toEqual([3, 1]);
        expect(await store.accountsOfUsers(['u2'])).toEqual([acntid, 2]);
        expect(await store.accountsOfUsers(['u3'])).toEqual([acntid]);
      });
      it('hears of other readers and another login, and not of a token that it fetched itself', async () => {
        const acntid = await add();
        await store.takeChangedAccounts();
        execute(place, `INSERT INTO email_account_users VALUES (${acntid}, 'u3')`);
        expect(await store.takeChangedAccounts()).toEqual([acntid]);
        execute(place, 'DELETE FROM email_account_users');
        expect(await store.takeChangedAccounts()).toEqual([acntid]);
        for (const login of [
          { oauth: { refreshToken: 'r2' } },
          { loginUser: 'boss' },
          { passwordCommand: ['/bin/pw'] },
        ]) {
          await store.updateAccount(acntid, { login });
          expect(await store.takeChangedAccounts()).toEqual([acntid]);
        }
        await lease(acntid, 2, 'a');
        await store.saveGrant({ acntid, generation: 2, accessToken: token('t'), refreshToken: 'r3' });
        expect(await store.takeChangedAccounts()).toEqual([]);
      });
    });

    describe('another key', () => {
      const secretsOf = async (acntid: number): Promise<unknown> => [
        await store.password(acntid),
        await store.passwordCommand(acntid),
        await store.grant(acntid),
      ];
      it('seals every secret anew, and the old one opens none of them', async () => {
        const acntid = await add({ oauth: client, passwordCommand: ['/bin/pw'] });
        await store.updateAccount(acntid, { password: 'pw' });
        await store.saveGrant({ acntid, generation: 1, accessToken: token('t'), refreshToken: null });
        const before = await secretsOf(acntid);
        const oldKey = readFileSync(place.keyFile);
        expect(await store.changeKey()).toEqual({ isNew: true, count: 5, unreadable: [] });
        expect(readFileSync(`${place.keyFile}.old`).equals(oldKey)).toBe(true);
        expect(await secretsOf(acntid)).toEqual(before);
        expect(await store.dropOldKey()).toBe(true);
        expect(existsSync(`${place.keyFile}.old`)).toBe(false);
        expect(await secretsOf(acntid)).toEqual(before);
        const again = await open(place);
        expect(await again.store.password(acntid)).toBe('pw');
        await again.close();
      });
      it('is what others seal with from then on, also those that knew the old one', async () => {
        const others = await open(place);
        const acntid = await others.store.addAccount(newAccount('bob@example.com', { password: 'old' }));
        await store.changeKey();
        await others.store.updateAccount(acntid, { password: 'new' });
        expect(await store.dropOldKey()).toBe(true);
        expect(await store.password(acntid)).toBe('new');
        await others.close();
      });
      it('is made with no secret there, and leaves alone what no key opens', async () => {
        const acntid = await add({});
        expect(await store.changeKey()).toEqual({ isNew: true, count: 0, unreadable: [] });
        execute(place, `UPDATE email_accounts SET password_sealed = x'00010203040506'`);
        expect(await store.changeKey()).toEqual({ isNew: false, count: 0, unreadable: [acntid] });
        expect(await store.dropOldKey()).toBe(true);
      });
    });
  });
}
