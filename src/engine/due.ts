/** From store and configuration to what the schedule takes: its rules, and accounts with their times in milliseconds. */
import { type Clock, toMs } from '../base/clock.ts';
import { createTimeZone } from '../base/time-zone.ts';
import type { Config } from '../config/schema.ts';
import type { AccountTimes, FolderTimes } from '../store/schedule.ts';
import type { Store } from '../store/store.ts';
import type { AccountScope } from './run-passes.ts';
import type { Pause, Rules, ScheduledAccount, ScheduledFolder } from './schedule/account.ts';
import { scopeAt } from './schedule.ts';

/** What only the engine knows of an account. */
export interface EngineKnowledge {
  readonly pause: Pause | null;
  readonly serverRetryMs: number | null;
  readonly serverOkMs: number | null;
}

const nothingKnown: EngineKnowledge = { pause: null, serverRetryMs: null, serverOkMs: null };

/** 200 accounts with 20 folders each are read in some 10 ms: longer must no thread be kept from its other work. */
const pageSize = 200;

/** Every account of the store, page by page; between pages others get their turn. */
export async function* allAccountTimes(store: Pick<Store, 'accountTimesPage'>): AsyncGenerator<AccountTimes[]> {
  for (let after = 0; ; ) {
    const page = await store.accountTimesPage(after, pageSize);
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (!last || page.length < pageSize) return;
    after = last.acntid;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What is due now, once: the work of `run --once`. */
export async function findDue(store: Store, config: Config, clock: Clock): Promise<AccountScope[]> {
  const rules = rulesOf(config);
  const rests = new Map((await store.serverRests()).map((rest) => [rest.server, toMs(rest.retryAt)]));
  const due: AccountScope[] = [];
  for await (const page of allAccountTimes(store))
    for (const times of page) {
      const known = { ...nothingKnown, serverRetryMs: rests.get(times.server) ?? null };
      const work = scopeAt(scheduledAccount(times, known), rules, clock().getTime());
      if (work) due.push({ acntid: times.acntid, scope: work.scope });
    }
  return due;
}

/** `dailySpreadMs`: of the engine; `run --once` takes what has come due at once, however it is spread. */
export function rulesOf(config: Config, dailySpreadMs = 0): Rules {
  return {
    isSyncEnabled: config.EMAIL_BACKGROUND_SYNC_ENABLED,
    recentSeconds: config.EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL,
    recentSecondsAway: config.EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL_NL,
    fullSeconds: config.EMAIL_BG_HI_FOLDERS_FOLDERS_FULL_SYNC_INTERVAL,
    fullSecondsAway: config.EMAIL_BG_HI_FOLDERS_FOLDERS_FULL_SYNC_INTERVAL_NL,
    presenceSeconds: config.EMAIL_PRESENCE_TIMEOUT,
    authRetrySeconds: config.EMAIL_AUTH_ERROR_CHECK_RETRY_TIME,
    daily: {
      zone: createTimeZone(config.BACKPROC_TIME_ZONE),
      startMs: Date.parse(`1970-01-01T${config.EMAIL_BG_LO_FOLDERS_SYNC_START}:00Z`),
      spreadMs: dailySpreadMs,
    },
  };
}

export function scheduledAccount(times: AccountTimes, known: EngineKnowledge = nothingKnown): ScheduledAccount {
  const { acntid, server, enabled, state, failureCode } = times;
  return {
    acntid,
    server,
    enabled,
    state,
    failureCode,
    users: times.users.map(({ userId, lastSeenAt }) => ({ userId, lastSeenMs: toMs(lastSeenAt) })),
    retryMs: toMs(times.retryAt),
    checkedMs: toMs(times.checkedAt),
    folders: times.folders.map(scheduledFolder),
    ...known,
  };
}

const scheduledFolder = (folder: FolderTimes): ScheduledFolder => ({
  emfdid: folder.emfdid,
  priority: folder.priority,
  isSelectable: folder.isSelectable,
  isFirstSynced: folder.isFirstSynced,
  hasPending: folder.hasPending,
  recentSyncedMs: toMs(folder.recentSyncedAt),
  fullSyncedMs: toMs(folder.fullSyncedAt),
  retryMs: toMs(folder.retryAt),
});
