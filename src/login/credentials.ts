/** What an account logs in with, for sync, outbox and the command line alike: they ask, and need not know where it comes from. */
import type { CredentialsOf } from '../base/credentials.ts';
import { EngineError } from '../base/errors.ts';
import type { Store } from '../store/store.ts';

export function createCredentials(store: Store): CredentialsOf {
  return async (acntid, protocol) => {
    const account = await store.account(acntid);
    if (!account) throw new EngineError('account_unknown', `${acntid}`);
    const server = protocol === 'imap' ? account.imap : (account.smtp ?? account.imap);
    const password = await store.password(acntid);
    if (password === undefined) throw new EngineError('no_password', account.email);
    return { kind: 'password', user: server.user, password };
  };
}
