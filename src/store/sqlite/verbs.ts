/**
 * The write verbs by name: what the in-process store calls and what a client asks the store thread for. Each runs inside a
 * transaction that its caller holds; none of them begins or commits one.
 */
import type { StoreWrites } from '../store.ts';
import { addAccount, recordHealth, recordVanishedTrust, takeNewPasswords, updateAccount } from './accounts.ts';
import { storeBatch } from './batch.ts';
import { changeKey, dropOldKey } from './change-key.ts';
import { claimUnread, releaseUnread } from './claims.ts';
import type { Connection } from './connection.ts';
import { forgetConversations, threadMessages } from './conversations.ts';
import { expire } from './expire.ts';
import { raiseEpoch, throwIfFenced } from './fence.ts';
import { applyFlags, applyVanished } from './flags.ts';
import { applyFolderPlan, setFolderPriority } from './folders.ts';
import { failGrant, leaseGrant, saveGrant } from './grants.ts';
import { approveDeletions, recordListing } from './listing.ts';
import { outboxVerbs } from './outbox-verbs.ts';
import { endPass, failFolder, recordUnchanged } from './pass.ts';
import { clearPresence, setPresence, takeChangedAccounts } from './presence.ts';
import { retryQuarantined } from './quarantine.ts';
import { recordRead } from './readings.ts';
import { clearRemoved, removeAccount } from './remove-account.ts';
import { applyReset } from './reset.ts';
import { rebuildSearch } from './search-index.ts';
import { recordServerRest } from './server-rests.ts';
import { recordSize } from './sizes.ts';
import { shrinkWal } from './wal.ts';

export type WriteVerb = keyof StoreWrites;

const verbs = {
  raiseEpoch,
  takeNewPasswords,
  addAccount,
  updateAccount,
  removeAccount,
  clearRemoved,
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
  leaseGrant,
  saveGrant,
  failGrant,
  changeKey,
  dropOldKey,
  expire,
  recordSize,
  shrinkWal,
  claimUnread,
  releaseUnread,
  recordRead,
  threadMessages,
  forgetConversations,
  rebuildSearch,
  ...outboxVerbs,
} satisfies {
  [Verb in WriteVerb]: (
    c: Connection,
    ...args: Parameters<StoreWrites[Verb]>
  ) => Awaited<ReturnType<StoreWrites[Verb]>>;
};

/** Writes that an engine behind the epoch may do: raising it, and keeping a token whose predecessor may be dead by now. */
const unfenced: ReadonlySet<WriteVerb> = new Set(['raiseEpoch', 'saveGrant']);

/** It cannot run inside a transaction, and changes no row. */
export const runsAlone = (verb: WriteVerb): boolean => verb === 'shrinkWal';

export function runVerb(c: Connection, verb: WriteVerb, args: readonly unknown[]): unknown {
  if (!unfenced.has(verb)) throwIfFenced(c);
  const run: (c: Connection, ...args: never[]) => unknown = verbs[verb];
  return run(c, ...(args as never[]));
}
