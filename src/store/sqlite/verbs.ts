/**
 * The write verbs by name: what the in-process store calls and what a client asks the store thread for. Each runs inside a
 * transaction that its caller holds; none of them begins or commits one.
 */
import type { StoreWrites } from '../store.ts';
import { addAccount, recordHealth, recordVanishedTrust, takeNewPasswords, updateAccount } from './accounts.ts';
import { storeBatch } from './batch.ts';
import type { Connection } from './connection.ts';
import { raiseEpoch, throwIfFenced } from './fence.ts';
import { applyFlags, applyVanished } from './flags.ts';
import { applyFolderPlan, setFolderPriority } from './folders.ts';
import { approveDeletions, recordListing } from './listing.ts';
import { endPass, failFolder, recordUnchanged } from './pass.ts';
import { clearPresence, setPresence, takeChangedAccounts } from './presence.ts';
import { retryQuarantined } from './quarantine.ts';
import { removeAccount } from './remove-account.ts';
import { applyReset } from './reset.ts';
import { recordServerRest } from './server-rests.ts';

export type WriteVerb = keyof StoreWrites;

const verbs = {
  raiseEpoch,
  takeNewPasswords,
  addAccount,
  updateAccount,
  removeAccount,
  recordHealth,
  recordVanishedTrust,
  applyFolderPlan,
  setFolderPriority,
  recordListing,
  applyReset,
  storeBatch,
  applyFlags,
  applyVanished,
  endPass,
  recordUnchanged,
  failFolder,
  approveDeletions,
  retryQuarantined,
  takeChangedAccounts,
  setPresence,
  clearPresence,
  recordServerRest,
} satisfies {
  [Verb in WriteVerb]: (
    c: Connection,
    ...args: Parameters<StoreWrites[Verb]>
  ) => Awaited<ReturnType<StoreWrites[Verb]>>;
};

/** Raising the epoch is the one write that an engine behind it may do. */
export function runVerb(c: Connection, verb: WriteVerb, args: readonly unknown[]): unknown {
  if (verb !== 'raiseEpoch') throwIfFenced(c);
  const run: (c: Connection, ...args: never[]) => unknown = verbs[verb];
  return run(c, ...(args as never[]));
}
