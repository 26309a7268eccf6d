/** Accounts with all that belongs to them, for export and import. */
import { EngineError } from '../base/errors.ts';
import type { FileSecrets } from '../login/account-file.ts';
import type { StoredAccount } from '../login/account-import.ts';
import type { Account, Store } from '../store/store.ts';

/** `withSecrets` false: nothing is decrypted. */
export async function storedAccounts(store: Store, withSecrets: boolean): Promise<StoredAccount[]> {
  const readers = await store.readers();
  const stored: StoredAccount[] = [];
  for (const account of await store.accounts()) {
    const login = await store.login(account.acntid);
    const secrets = withSecrets ? await secretsOf(store, account) : {};
    if (login) stored.push({ account, login, readers: readers.get(account.acntid) ?? [], secrets });
  }
  return stored;
}

async function secretsOf(store: Store, { acntid }: Account): Promise<FileSecrets> {
  const [password, command, grant] = await Promise.all([
    readable(store.password(acntid)),
    readable(store.passwordCommand(acntid)),
    readable(store.grant(acntid)),
  ]);
  return {
    ...(password !== undefined && { password }),
    ...(command !== undefined && { passwordCommand: [...command] }),
    ...(typeof grant?.clientSecret === 'string' && { clientSecret: grant.clientSecret }),
    ...(typeof grant?.refreshToken === 'string' && { refreshToken: grant.refreshToken }),
  };
}

/** One that no key opens is as if it were not there: the others must not wait for it. */
async function readable<T>(secret: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await secret;
  } catch (error) {
    if (error instanceof EngineError && error.code === 'secret_unreadable') return undefined;
    throw error;
  }
}
