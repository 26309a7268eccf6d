/** Logs in to accounts as a pass would, a few at a time. */
import { logInWith } from '../../base/credentials.ts';
import { toErrorRecord } from '../../base/errors.ts';
import type { Account, Store } from '../../store/store.ts';
import type { CliContext } from '../context.ts';
import { probe } from '../probe.ts';
import type { LoginResult } from './accounts.ts';

/** Nobody's server should mind. */
const atATime = 5;

export async function logInToAll(
  context: CliContext,
  store: Store,
  accounts: readonly Account[],
): Promise<LoginResult[]> {
  const queue = [...accounts];
  const results: LoginResult[] = [];
  const work = async (): Promise<void> => {
    for (let account = queue.shift(); account; account = queue.shift())
      results.push(await logIn(context, store, account));
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return results.sort((a, b) => a.account.acntid - b.account.acntid);
}

async function logIn(context: CliContext, store: Store, account: Account): Promise<LoginResult> {
  const startedMs = performance.now();
  try {
    const { createCredentials } = await import('../../login/credentials.ts');
    const which = { acntid: account.acntid, protocol: 'imap' } as const;
    await logInWith(createCredentials(store), which, (credentials) =>
      // What it warns of is in the error.
      probe(context, account.imap, credentials, () => undefined),
    );
    return { account, ms: performance.now() - startedMs, error: null };
  } catch (error) {
    return { account, ms: performance.now() - startedMs, error: toErrorRecord(error) };
  }
}
