/** Which accounts are asked, and what their answers mean. Pure. */
import { catalogue, type ErrorRecord } from '../../base/errors.ts';
import type { Account } from '../../store/store.ts';
import { bad, type Finding, ok, warn } from './finding.ts';

/** One of each server first, in the order of their numbers: five accounts at one provider say less than one at each of five. */
export function sampleAccounts(accounts: readonly Account[], count: number): Account[] {
  const enabled = accounts.filter((account) => account.enabled);
  const seen = new Map<string, number>();
  const rank = new Map<Account, number>();
  for (const account of enabled) {
    const nth = seen.get(account.imap.host) ?? 0;
    seen.set(account.imap.host, nth + 1);
    rank.set(account, nth);
  }
  return enabled.sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0) || a.acntid - b.acntid).slice(0, count);
}

/** From the store, without asking a server. */
export function judgeStates(accounts: readonly Account[]): Finding {
  const count = (state: Account['state']): number =>
    accounts.filter((one) => one.enabled && one.state === state).length;
  const refused = count('auth_error');
  const found = `${accounts.length} accounts, ${count('ok')} well, ${refused} refused at login, ${count('backoff')} in backoff`;
  return refused === 0
    ? ok('accounts', found)
    : warn('accounts', found, 'backproc account list; set the right passwords.');
}

export interface LoginResult {
  readonly account: Account;
  readonly ms: number;
  readonly error: ErrorRecord | null;
}

export function judgeLogin({ account, ms, error }: LoginResult): Finding {
  const who = `${account.acntid} ${account.email} at ${account.imap.host}`;
  if (error === null) return ok('login', `${who}: logged in within ${Math.round(ms)} ms`);
  const { meaning, action } = catalogue[error.code];
  const found = `${who}: ${meaning} ${error.detail}`.trim();
  return catalogue[error.code].remedy === 'retry' ? warn('login', found, action) : bad('login', found, action);
}
