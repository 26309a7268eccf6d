/** The account that sends: who it is, and how its sending is doing. */
import { EngineError } from '../base/errors.ts';
import type { SendingState } from '../store/outbox-entry.ts';
import type { Account, Store } from '../store/store.ts';

export type SendingAccount = Account & SendingState;

/** Throws account_unknown. */
export async function sendingAccount(store: Store, acntid: number): Promise<SendingAccount> {
  const account = await store.account(acntid);
  const state = await store.sendingState(acntid);
  if (!account || !state) throw new EngineError('account_unknown', `${acntid}`);
  return { ...account, ...state };
}
