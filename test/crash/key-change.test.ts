/** kill -9 at every durable step of `secrets rotate`: all secrets are readable, and the next rotation ends with one key. */
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { newAccount } from '../contract/store-fixture.ts';
import { createInstallation, type Installation } from '../support/installation.ts';

const grant = { clientId: 'app', tokenUrl: 'https://login.example.com/t', clientSecret: 's', refreshToken: 'r' };
const stepsMax = 40;

describe('a change of keys killed with SIGKILL', () => {
  let installation: Installation;
  const storeFolder = (): string => join(installation.folder, 'store');
  const keyFile = (): string => join(storeFolder(), 'secret.key');
  const withStore = async <T>(work: (store: Store) => Promise<T>): Promise<T> => {
    const store = await openSqliteStore({ file: installation.storeFile, keyFile: keyFile() });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  };
  const secrets = (): Promise<unknown> =>
    withStore(async (store) => [
      await Promise.all([1, 2, 3].map((acntid) => store.password(acntid))),
      await store.grant(2),
      await store.passwordCommand(2),
    ]);
  const keyFiles = (): string[] => readdirSync(storeFolder()).filter((name) => name.includes('key'));

  beforeAll(async () => {
    installation = createInstallation();
    await withStore(async (store) => {
      for (const name of ['a', 'b', 'c']) await store.addAccount(newAccount(`${name}@example.com`, { password: name }));
      await store.updateAccount(2, { login: { oauth: grant, passwordCommand: ['/bin/pw'] } });
    });
    cpSync(storeFolder(), join(installation.folder, 'before'), { recursive: true });
  });
  afterAll(() => installation.remove());

  it('at any step leaves every secret readable, and the next one makes it whole', async () => {
    const before = await secrets();
    let step = 1;
    for (; step < stepsMax; step += 1) {
      rmSync(storeFolder(), { recursive: true });
      cpSync(join(installation.folder, 'before'), storeFolder(), { recursive: true });
      const oldKey = readFileSync(keyFile());
      const killed = await installation.runWith({ BACKPROC_TEST_CRASH_AT: String(step) }, 'secrets', 'rotate');
      expect({ step, secrets: await secrets() }).toEqual({ step, secrets: before });
      await withStore((store) => store.updateAccount(3, { password: 'c' }));
      expect(await installation.run('secrets', 'rotate')).toMatchObject({ code: 0, stderr: '' });
      expect({ step, secrets: await secrets(), files: keyFiles() }).toEqual({
        step,
        secrets: before,
        files: ['secret.key'],
      });
      expect(readFileSync(keyFile()).equals(oldKey)).toBe(false);
      if (killed.signal !== 'SIGKILL') break;
    }
    // Key written, linked, renamed; around the two transactions; and one run that came to its end.
    expect(step).toBeGreaterThan(8);
    expect(step).toBeLessThan(stepsMax);
  });
});
