/** A session outside of a pass, for `sync --dry-run` and `verify --deep`. */
import { EngineError } from '../base/errors.ts';
import { createLink, type ImapSession, type SessionOptions } from '../imap/session.ts';
import type { Account, Store } from '../store/store.ts';
import { bulkBytesMax } from './fetch-window.ts';

const timeoutMs = 60_000;

export async function openOnce(
  store: Store,
  account: Account,
  openSession: (options: SessionOptions) => Promise<ImapSession>,
): Promise<ImapSession> {
  const password = await store.password(account.acntid);
  if (password === undefined) throw new EngineError('no_password', `account ${account.acntid}`);
  return openSession({
    ...account.imap,
    password,
    link: createLink(),
    wireNames: new Map(),
    literalBytesMax: 2 * bulkBytesMax,
    commandTimeoutMs: timeoutMs,
    transferTimeoutMsPerMib: timeoutMs,
    signal: new AbortController().signal,
    onWarning: () => undefined,
  });
}
