/** A session outside of a pass, for `sync --dry-run` and `verify --deep`. */
import { type CredentialsOf, logInWith } from '../base/credentials.ts';
import { createLink } from '../imap/link.ts';
import type { ImapSession, SessionOptions } from '../imap/session.ts';
import type { Account } from '../store/store.ts';
import { bulkBytesMax } from './fetch-window.ts';

const timeoutMs = 60_000;

export async function openOnce(
  credentialsOf: CredentialsOf,
  account: Account,
  openSession: (options: SessionOptions) => Promise<ImapSession>,
): Promise<ImapSession> {
  return logInWith(credentialsOf, { acntid: account.acntid, protocol: 'imap' }, (credentials) =>
    openSession({
      ...account.imap,
      credentials,
      link: createLink(),
      wireNames: new Map(),
      literalBytesMax: 2 * bulkBytesMax,
      room: null,
      commandTimeoutMs: timeoutMs,
      transferTimeoutMsPerMib: timeoutMs,
      signal: new AbortController().signal,
      onWarning: () => undefined,
    }),
  );
}
