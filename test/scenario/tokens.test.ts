/** Access tokens: real stores, a real endpoint that rotates strictly, threads of asking, and processes of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createCredentials } from '../../src/login/credentials.ts';
import { requestToken } from '../../src/login/token-endpoint.ts';
import { createTokens, type TokenPorts } from '../../src/login/tokens.ts';
import type { LoginChanges } from '../../src/store/logins.ts';
import type { Store } from '../../src/store/store.ts';
import { makePlace, newAccount, openInProcess, type StorePlace } from '../contract/store-fixture.ts';
import { type FakeTokenEndpoint, sendJson, startTokenEndpoint } from '../support/fake-token-endpoint.ts';

let place: StorePlace;
let store: Store;
let endpoint: FakeTokenEndpoint;
let acntid: number;
const opened: Store[] = [];

const openAnother = async (): Promise<Store> => {
  const { store: another } = await openInProcess(place);
  opened.push(another);
  return another;
};
const addAccount = (oauth: NonNullable<LoginChanges['oauth']> = {}): Promise<number> =>
  store.addAccount(
    newAccount(`u${Math.random()}@example.com`, {
      login: {
        oauth: { clientId: 'app', tokenUrl: endpoint.url, clientSecret: 's', refreshToken: 'refresh-1', ...oauth },
      },
    }),
  );

beforeEach(async () => {
  place = makePlace();
  store = await openAnother();
  endpoint = await startTokenEndpoint();
  acntid = await addAccount();
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await endpoint.stop();
  place.remove();
});

const later =
  (ms: number): (() => Date) =>
  () =>
    new Date(Date.now() + ms);
const tokensOf = (more: Partial<TokenPorts> = {}) =>
  createTokens({
    store,
    clock: systemClock,
    requestToken: (grant) => requestToken(grant, 500),
    signal: new AbortController().signal,
    ignoresBackoff: false,
    ...more,
  });
const outcome = (asked: Promise<string>): Promise<string> => asked.catch((error: { code: string }) => error.code);

describe('an access token', () => {
  it('is fetched once, however many ask at once, and kept for those who come later', async () => {
    const credentialsOf = createCredentials(store);
    const all = await Promise.all(Array.from({ length: 10 }, () => credentialsOf(acntid, 'imap')));
    const { email } = (await store.account(acntid)) ?? { email: '' };
    expect(new Set(all.map((one) => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify({ kind: 'token', user: email, accessToken: 'access-1' })]),
    );
    const another = createCredentials(await openAnother());
    expect(await another(acntid, 'smtp')).toMatchObject({ accessToken: 'access-1' });
    expect(endpoint.requests).toEqual([
      {
        count: 1,
        form: { grant_type: 'refresh_token', refresh_token: 'refresh-1', client_id: 'app', client_secret: 's' },
      },
    ]);
    expect((await store.grant(acntid))?.refreshToken).toBe('refresh-2');
  });

  it('is fetched by one of many stores and never twice with one refresh token, round after round', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, async () => tokensOf({ store: await openAnother() })));
    let refused: string | null = null;
    for (let round = 1; round <= 5; round += 1) {
      const rejected: string | null = refused;
      const tokens = await Promise.all(all.map((ask) => ask(acntid, rejected)));
      expect(new Set(tokens)).toEqual(new Set([`access-${round}`]));
      refused = `access-${round}`;
    }
    expect([endpoint.requests.length, endpoint.overlapCount, endpoint.goodRefreshToken]).toEqual([5, 0, 'refresh-6']);
  });

  it('is fetched by one of many processes', async () => {
    const code = `
      const { createCredentials } = await import(process.argv[1] + '/login/credentials.js');
      const { openSqliteStore } = await import(process.argv[1] + '/store/sqlite/open-store.js');
      const store = await openSqliteStore({ file: process.argv[2], keyFile: process.argv[3] });
      console.log((await createCredentials(store)(Number(process.argv[4]), 'imap')).accessToken);
      await store.close();`;
    const built = new URL('../../build', import.meta.url).href;
    const args = ['--input-type=module', '-e', code, built, place.file, place.keyFile, String(acntid)];
    const outputs = await Promise.all(
      Array.from({ length: 5 }, () =>
        text(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }).stdout),
      ),
    );
    expect(outputs).toEqual(Array.from({ length: 5 }, () => 'access-1\n'));
    expect(endpoint.requests).toHaveLength(1);
  });

  it('is replaced before its end, and serves on while the provider is down', async () => {
    expect(await tokensOf()(acntid, null)).toBe('access-1');
    expect(await tokensOf({ clock: later(56 * 60_000) })(acntid, null)).toBe('access-2');
    endpoint.script = (_request, response) => sendJson(response, 500, {});
    // An hour of the second one, asked 56 minutes after the first.
    expect(await tokensOf({ clock: later(112 * 60_000) })(acntid, null)).toBe('access-2');
    expect(await outcome(tokensOf({ clock: later(117 * 60_000) })(acntid, null))).toBe('token_unavailable');
  });

  it('comes without a refresh token where the client itself is the grant', async () => {
    const app = await addAccount({ refreshToken: null, scope: 'all' });
    expect(await tokensOf()(app, null)).toBe('access-1');
    expect(endpoint.requests[0]?.form).toEqual({
      grant_type: 'client_credentials',
      client_id: 'app',
      client_secret: 's',
      scope: 'all',
    });
  });
});

describe('a provider', () => {
  it('that refuses is an auth error, and is left alone for a while', async () => {
    endpoint.goodRefreshToken = null;
    await expect(tokensOf()(acntid, null)).rejects.toMatchObject({
      code: 'auth_failed',
      detail: expect.stringContaining('invalid_grant: Token has been used or revoked.'),
    });
    expect(await outcome(tokensOf()(acntid, null))).toBe('auth_failed');
    expect(endpoint.requests).toHaveLength(1);
    expect(await outcome(tokensOf({ ignoresBackoff: true })(acntid, null))).toBe('auth_failed');
    expect(endpoint.requests).toHaveLength(2);
    endpoint.goodRefreshToken = 'by hand';
    await store.updateAccount(acntid, { login: { oauth: { refreshToken: 'by hand' } } });
    expect(await tokensOf()(acntid, null)).toBe('access-1');
  });

  it('that drips its answer is given up in time, also after a garbage collection', async () => {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    endpoint.script = (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => {
        response.write(' ');
        if (typeof collect === 'function') collect();
      }, 50);
      response.on('close', () => clearInterval(timer));
    };
    await expect(tokensOf()(acntid, null)).rejects.toMatchObject({
      code: 'token_unavailable',
      detail: expect.stringContaining('no answer within 500 ms'),
    });
  });

  it('that repeats the request which it refuses gives no secret away', async () => {
    const [refreshToken, clientSecret] = ['refresh canary/1', 'client-"secret"-canary'];
    const own = await addAccount({ refreshToken, clientSecret });
    endpoint.script = ({ form }, response) => {
      const told = [form.refresh_token, form.client_secret, new URLSearchParams(form).toString()].join(', ');
      const encoded = [refreshToken, clientSecret].map(encodeURIComponent).join('&');
      return sendJson(response, 400, { error: 'invalid_grant', error_description: `${told}, ${encoded}` });
    };
    const error = await tokensOf()(own, null).catch((thrown: { detail: string }) => thrown.detail);
    expect(error).toContain('invalid_grant: ***, ***');
    expect(error).not.toMatch(/canary/);
  });

  it.each<[string, NonNullable<FakeTokenEndpoint['script']>, RegExp]>([
    ['answers 503', (_, response) => sendJson(response, 503, {}), /HTTP 503/],
    ['sends garbage', (_, response) => response.end('<html>'), /no JSON object/],
    ['redirects', (_, response) => response.writeHead(307, { location: endpoint.url }).end(), /redirect/],
    ['never answers', () => undefined, /no answer within 500 ms/],
    ['stops in the middle', (_, response) => response.write('{"access'), /no answer within 500 ms/],
    ['hangs up', (_, response) => response.destroy(), /./],
    ['sends without end', (_, response) => response.write('x'.repeat(400_000)), /more than 262144 bytes/],
  ])('that %s is tried again later, and by nobody before', async (_title, script, detail) => {
    endpoint.script = script;
    const asked = tokensOf()(acntid, null);
    await expect(asked).rejects.toMatchObject({
      code: 'token_unavailable',
      detail: expect.stringMatching(detail),
      notBefore: expect.stringMatching(/Z$/),
    });
    expect(await outcome(tokensOf({ store: await openAnother() })(acntid, null))).toBe('token_unavailable');
    expect(endpoint.requests).toHaveLength(1);
    endpoint.script = undefined;
    expect(await tokensOf({ clock: later(16_000) })(acntid, null)).toBe('access-1');
  });

  it('that cannot be reached is tried again later', async () => {
    await endpoint.stop();
    await expect(tokensOf()(acntid, null)).rejects.toMatchObject({ detail: expect.stringContaining('ECONNREFUSED') });
    endpoint = await startTokenEndpoint();
  });

  it('whose answer comes after the grant was changed by hand is not believed', async () => {
    endpoint.script = async ({ count }) => {
      if (count === 1) await store.updateAccount(acntid, { login: { oauth: { refreshToken: 'by hand' } } });
      else endpoint.goodRefreshToken = 'by hand';
      return 'honest';
    };
    expect(await tokensOf()(acntid, null)).toBe('access-2');
    expect(endpoint.requests.map(({ form }) => form.refresh_token)).toEqual(['refresh-1', 'by hand']);
  });
});

describe('who waits for another’s refresh', () => {
  const leaseForSomebodyElse = (): Promise<boolean> =>
    store.leaseGrant({
      acntid,
      generation: 1,
      holder: 'somebody else',
      at: new Date().toISOString(),
      until: new Date(Date.now() + 40_000).toISOString(),
    });

  it('gets what that one brought', async () => {
    await leaseForSomebodyElse();
    const asked = tokensOf()(acntid, null);
    const accessToken = {
      token: 'theirs',
      refreshAt: later(1e6)().toISOString(),
      expiresAt: later(2e6)().toISOString(),
    };
    await store.saveGrant({ acntid, generation: 1, accessToken, refreshToken: 'refresh-2' });
    expect(await asked).toBe('theirs');
    expect(endpoint.requests).toHaveLength(0);
  });

  it('stops at once when asked to', async () => {
    await leaseForSomebodyElse();
    const stopping = new AbortController();
    const asked = outcome(tokensOf({ signal: stopping.signal })(acntid, null));
    stopping.abort();
    expect(await asked).toBe('aborted');
  });
});

describe('a process killed between the answer and its storing', () => {
  /** Does what a refresh does, and dies where the token would be saved. */
  const killBeforeSave = async (): Promise<void> => {
    const code = `
      const { createCredentials } = await import(process.argv[1] + '/login/credentials.js');
      const { openSqliteStore } = await import(process.argv[1] + '/store/sqlite/open-store.js');
      const store = await openSqliteStore({ file: process.argv[2], keyFile: process.argv[3] });
      const killed = { ...store, saveGrant: () => process.kill(process.pid, 'SIGKILL') };
      await createCredentials(killed)(Number(process.argv[4]), 'imap');`;
    const built = new URL('../../build', import.meta.url).href;
    const args = ['--input-type=module', '-e', code, built, place.file, place.keyFile, String(acntid)];
    const [, signal] = (await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit')) as [number, string];
    expect(signal).toBe('SIGKILL');
  };
  const afterLease = { clock: later(46_000) };

  it('costs nothing where the provider keeps the refresh token', async () => {
    endpoint.rotates = false;
    await killBeforeSave();
    expect(await tokensOf(afterLease)(acntid, null)).toBe('access-2');
  });

  it('costs nothing where the provider takes the old one again for a while', async () => {
    await killBeforeSave();
    endpoint.goodRefreshToken = 'refresh-1';
    expect(await tokensOf(afterLease)(acntid, null)).toBe('access-2');
    expect((await store.grant(acntid))?.refreshToken).toBe('refresh-3');
  });

  it('is told as what ended the grant where the provider does neither', async () => {
    await killBeforeSave();
    await expect(tokensOf(afterLease)(acntid, null)).rejects.toMatchObject({
      code: 'auth_failed',
      detail: expect.stringContaining('an earlier refresh was cut off before its answer could be stored'),
    });
  });
});
