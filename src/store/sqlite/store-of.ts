/**
 * Makes a Store of one reading connection and one way to write. The two stores, in process and behind the store thread,
 * differ in nothing but that way.
 */
import type { Store, StoreReads, StoreWrites } from '../store.ts';
import { account, accountStates, accounts, troubledAccounts } from './account-row.ts';
import { accountCount, accountTimes, accountTimesPage } from './account-times.ts';
import { hasNewPasswords, password } from './accounts.ts';
import { hasUnread, unreadCount } from './claims.ts';
import type { Connection } from './connection.ts';
import { exportCount, exportRows } from './export-rows.ts';
import { toStoreFailure } from './failure.ts';
import { folder, folders } from './folder-row.ts';
import { ledger } from './ledger.ts';
import { grant, login, passwordCommand } from './logins.ts';
import { contentRaw, messageContent, unreadable } from './message-content.ts';
import * as messages from './messages.ts';
import { outboxReadsOf, outboxWritesBy } from './outbox-of.ts';
import { accountsOfUsers, hasChangedAccounts, presenceSince } from './presence.ts';
import { quarantine } from './quarantine.ts';
import { readers } from './readers.ts';
import { accountSize } from './remove-account.ts';
import { search } from './search.ts';
import { serverRests } from './server-rests.ts';
import { storeSizes } from './sizes.ts';
import { trafficOn } from './traffic.ts';
import type { WriteVerb } from './verbs.ts';

export type Write = <Verb extends WriteVerb>(
  verb: Verb,
  ...args: Parameters<StoreWrites[Verb]>
) => Promise<Awaited<ReturnType<StoreWrites[Verb]>>>;

export function storeOf(reader: Connection, write: Write, close: () => Promise<void>): Store {
  return { ...readsOf(reader), ...writesBy(reader, write), close };
}

type Read = <T>(work: (c: Connection) => T) => Promise<T>;

/** Async although SQLite is not, so that a failure is a rejection. */
const readerOf =
  (c: Connection): Read =>
  async (work) => {
    try {
      return work(c);
    } catch (error) {
      throw toStoreFailure(error);
    }
  };

function readsOf(c: Connection): StoreReads {
  const read = readerOf(c);
  return {
    version: () => read(() => Number(c.database.pragma('data_version', { simple: true }))),
    accounts: () => read(accounts),
    account: (acntid) => read(() => account(c, acntid)),
    password: (acntid) => read(() => password(c, acntid)),
    accountSize: (acntid) => read(() => accountSize(c, acntid)),
    trafficOn: (acntid, day) => read(() => trafficOn(c, acntid, day)),
    accountStates: () => read(accountStates),
    troubledAccounts: (limit) => read(() => troubledAccounts(c, limit)),
    folders: (acntid, options) => read(() => folders(c, acntid, options)),
    folder: (emfdid) => read(() => folder(c, emfdid)),
    hasFolderAt: (path) => read(() => c.get('SELECT 1 FROM email_folders WHERE path = ? LIMIT 1', path) !== undefined),
    storedMessages: (emfdid) => read(() => messages.storedMessages(c, emfdid)),
    storedIdentities: (emfdid) => read(() => messages.storedIdentities(c, emfdid)),
    identitiesOf: (emfdid, ids) => read(() => messages.identitiesOf(c, emfdid, ids)),
    storedDigests: (emfdid) => read(() => messages.storedDigests(c, emfdid)),
    liveCounts: (emfdid) => read(() => messages.liveCounts(c, emfdid)),
    quarantine: (emfdid) => read(() => quarantine(c, emfdid)),
    contentsByEmailId: (acntid, emailIds) => read(() => messages.contentsByEmailId(c, acntid, emailIds)),
    idsFoundElsewhere: (emfdid, ids) => read(() => messages.idsFoundElsewhere(c, emfdid, ids)),
    ledger: (acntid) => read(() => ledger(c, acntid)),
    messages: (filter) => read(() => messages.messages(c, filter)),
    raw: (messageId) => read(() => messages.raw(c, messageId)),
    presence: () => read(messages.presence),
    accountCount: () => read(accountCount),
    accountTimesPage: (afterAcntid, limit) => read(() => accountTimesPage(c, afterAcntid, limit)),
    accountTimes: (acntid) => read(() => accountTimes(c, acntid)),
    presenceSince: (at) => read(() => presenceSince(c, at)),
    accountsOfUsers: (userIds) => read(() => accountsOfUsers(c, userIds)),
    serverRests: () => read(serverRests),
    login: (acntid) => read(() => login(c, acntid)),
    grant: (acntid) => read(() => grant(c, acntid)),
    passwordCommand: (acntid) => read(() => passwordCommand(c, acntid)),
    readers: () => read(readers),
    storeSizes: () => read(storeSizes),
    hasUnread: (readerVersion) => read(() => hasUnread(c, readerVersion)),
    unreadCount: () => read(unreadCount),
    contentRaw: (contentId) => read(() => contentRaw(c, contentId)),
    unreadable: (filter) => read(() => unreadable(c, filter)),
    messageContent: (id) => read(() => messageContent(c, id)),
    exportRows: (filter) => read(() => exportRows(c, filter)),
    exportCount: (filter) => read(() => exportCount(c, filter)),
    search: (query) => read(() => search(c, query)),
    ...outboxReadsOf(c, read),
  };
}

function writesBy(c: Connection, write: Write): StoreWrites {
  const read = readerOf(c);
  return {
    raiseEpoch: () => write('raiseEpoch'),
    // Asked at every tick: without news no transaction is begun.
    takeNewPasswords: async () => ((await read(hasNewPasswords)) ? write('takeNewPasswords') : []),
    addAccount: (given) => write('addAccount', given),
    updateAccount: (acntid, changes) => write('updateAccount', acntid, changes),
    removeAccount: (acntid) => write('removeAccount', acntid),
    clearRemoved: () => write('clearRemoved'),
    recordHealth: (acntid, health) => write('recordHealth', acntid, health),
    recordVanishedTrust: (acntid, trust) => write('recordVanishedTrust', acntid, trust),
    applyFolderPlan: (acntid, plan, at) => write('applyFolderPlan', acntid, plan, at),
    setFolderPriority: (emfdid, priority) => write('setFolderPriority', emfdid, priority),
    recordListing: (record) => write('recordListing', record),
    applyReset: (record) => write('applyReset', record),
    storeBatch: (batch) => write('storeBatch', batch),
    applyFlags: (at) => write('applyFlags', at),
    applyVanished: (at) => write('applyVanished', at),
    endPass: (end) => write('endPass', end),
    recordUnchanged: (emfdids, at) => write('recordUnchanged', emfdids, at),
    failFolder: (emfdid, failure) => write('failFolder', emfdid, failure),
    approveDeletions: (emfdid, at) => write('approveDeletions', emfdid, at),
    retryQuarantined: (emfdid, uid, at) => write('retryQuarantined', emfdid, uid, at),
    takeChangedAccounts: async () => ((await read(hasChangedAccounts)) ? write('takeChangedAccounts') : []),
    setPresence: (userId, at) => write('setPresence', userId, at),
    clearPresence: (userId) => write('clearPresence', userId),
    recordServerRest: (server, rest) => write('recordServerRest', server, rest),
    leaseGrant: (request) => write('leaseGrant', request),
    saveGrant: (refreshed) => write('saveGrant', refreshed),
    failGrant: (failed) => write('failGrant', failed),
    changeKey: () => write('changeKey'),
    dropOldKey: () => write('dropOldKey'),
    expire: (limits) => write('expire', limits),
    recordSize: (at) => write('recordSize', at),
    shrinkWal: () => write('shrinkWal'),
    claimUnread: (claim) => write('claimUnread', claim),
    releaseUnread: (contentIds) => write('releaseUnread', contentIds),
    recordRead: (record) => write('recordRead', record),
    threadMessages: (countMax) => write('threadMessages', countMax),
    forgetConversations: (acntid) => write('forgetConversations', acntid),
    rebuildSearch: () => write('rebuildSearch'),
    ...outboxWritesBy(c, read, write),
  };
}
