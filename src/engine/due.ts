/** Reads from the store what is due now, once: the work of `run --once`. The rules are schedule.ts's. */
import { type Clock, createLocalClock } from '../base/clock.ts';
import type { Config } from '../config/schema.ts';
import type { Account, Folder, Store } from '../store/store.ts';
import type { AccountScope } from './run-passes.ts';
import { type DueAccount, type DueFolder, dueScope, type Intervals, type Now } from './schedule.ts';

export async function findDue(store: Store, config: Config, clock: Clock): Promise<AccountScope[]> {
  if (!config.EMAIL_BACKGROUND_SYNC_ENABLED) return [];
  const presence = await store.presence();
  const now = nowOf(config, clock);
  const due: AccountScope[] = [];
  for (const account of await store.accounts()) {
    const lastSeen = account.userId === null ? undefined : presence.get(account.userId);
    const scope = dueScope(
      dueAccount(account, await store.folders(account.acntid), lastSeen),
      intervalsOf(config),
      now,
    );
    if (scope) due.push({ acntid: account.acntid, scope });
  }
  return due;
}

function nowOf(config: Config, clock: Clock): Now {
  const local = createLocalClock(config.BACKPROC_TIME_ZONE);
  const now = clock();
  return { ms: now.getTime(), local: local(now), toLocal: (ms) => local(new Date(ms)) };
}

const intervalsOf = (config: Config): Intervals => ({
  recentSeconds: config.EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL,
  recentSecondsAway: config.EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL_NL,
  fullSeconds: config.EMAIL_BG_HI_FOLDERS_FOLDERS_FULL_SYNC_INTERVAL,
  fullSecondsAway: config.EMAIL_BG_HI_FOLDERS_FOLDERS_FULL_SYNC_INTERVAL_NL,
  lowStart: config.EMAIL_BG_LO_FOLDERS_SYNC_START,
  presenceSeconds: config.EMAIL_PRESENCE_TIMEOUT,
});

const toMs = (instant: string | null | undefined): number | null =>
  instant === null || instant === undefined ? null : Date.parse(instant);

function dueAccount(account: Account, folders: readonly Folder[], lastSeen: string | undefined): DueAccount {
  return {
    enabled: account.enabled,
    retryMs: toMs(account.retryAt),
    checkedMs: toMs(account.checkedAt),
    lastSeenMs: toMs(lastSeen),
    folders: folders.map(dueFolder),
  };
}

const dueFolder = (folder: Folder): DueFolder => ({
  emfdid: folder.emfdid,
  priority: folder.priority,
  isSelectable: folder.isSelectable,
  isFirstSynced: folder.firstSyncedAt !== null,
  recentSyncedMs: toMs(folder.recentSyncedAt),
  fullSyncedMs: toMs(folder.fullSyncedAt),
  retryMs: toMs(folder.retryAt),
});
