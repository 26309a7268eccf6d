/** The store's side of a simulation: the times of accounts, as sync leaves them behind. Instants in wall-clock milliseconds. */
import { toInstant } from '../../src/base/clock.ts';
import type { ErrorRecord } from '../../src/base/errors.ts';
import type { AccountTimes, ServerRest } from '../../src/store/schedule.ts';
import type { Store } from '../../src/store/store.ts';
import { retryAtMs } from '../../src/sync/backoff.ts';
import type { Scope } from '../../src/sync/pass.ts';

export interface ModelFolder {
  readonly emfdid: number;
  readonly priority: 'high' | 'low';
  /** Work that its first sync still needs, in milliseconds. */
  firstMs: number;
  recentMs: number | null;
  fullMs: number | null;
}

export interface ModelAccount {
  readonly acntid: number;
  readonly server: string;
  readonly userId: string;
  lastSeenMs: number | null;
  retryMs: number | null;
  checkedMs: number | null;
  failure: ErrorRecord | null;
  failureCount: number;
  readonly folders: ModelFolder[];
  times: AccountTimes | null;
}

const instant = (ms: number | null): string | null => (ms === null ? null : toInstant(new Date(ms)));

/** Made anew only after a change: the planner asks far more often than anything changes. */
export function timesOf(account: ModelAccount): AccountTimes {
  account.times ??= {
    acntid: account.acntid,
    server: account.server,
    users: [{ userId: account.userId, lastSeenAt: instant(account.lastSeenMs) }],
    enabled: true,
    state: account.failure === null ? 'ok' : 'backoff',
    failureCode: account.failure?.code ?? null,
    retryAt: instant(account.retryMs),
    checkedAt: instant(account.checkedMs),
    folders: account.folders.map((folder) => ({
      emfdid: folder.emfdid,
      priority: folder.priority,
      isSelectable: true,
      isFirstSynced: folder.firstMs <= 0,
      hasPending: false,
      recentSyncedAt: instant(folder.recentMs),
      fullSyncedAt: instant(folder.fullMs),
      retryAt: null,
    })),
  };
  return account.times;
}

type ModelStore = Pick<
  Store,
  'accountCount' | 'accountTimes' | 'accountTimesPage' | 'serverRests' | 'recordServerRest'
>;

/** `accounts`: account 1 first; undefined: removed. */
export function createModelStore(accounts: () => readonly (ModelAccount | undefined)[]): ModelStore {
  const rests = new Map<string, ServerRest>();
  return {
    accountCount: async () => accounts().length,
    accountTimes: async (acntid) => {
      const account = accounts()[acntid - 1];
      return account && timesOf(account);
    },
    accountTimesPage: async (after, limit) =>
      accounts()
        .slice(after, after + limit)
        .flatMap((account) => (account ? [timesOf(account)] : [])),
    serverRests: async () => [...rests.values()],
    recordServerRest: async (server, rest) => {
      rests.delete(server);
      if (rest) rests.set(server, { ...rest, server });
    },
  };
}

/** Never synced, and looked at by a pass of this scope (sync/visits.ts). */
export const firstFolders = ({ folders }: ModelAccount, scope: Scope): ModelFolder[] =>
  scope.kind === 'schedule' && scope.leavesFirst === true ? [] : folders.filter(({ firstMs }) => firstMs > 0);

/** As sync/sync-account.ts and store/sqlite/pass.ts write it, when the first syncs have had `firstMs`. */
export function endPassWell(account: ModelAccount, scope: Scope, firstMs: number, nowMs: number): void {
  if (scope.kind !== 'schedule') return;
  const [recent, full] = [new Set(scope.recent), new Set(scope.full)];
  let left = firstMs;
  for (const folder of firstFolders(account, scope)) {
    const step = Math.min(folder.firstMs, left);
    [left, folder.firstMs] = [left - step, folder.firstMs - step];
    if (folder.firstMs <= 0) Object.assign(folder, { recentMs: nowMs, fullMs: nowMs });
  }
  for (const folder of account.folders.filter((one) => one.firstMs <= 0)) {
    if (full.has(folder.emfdid)) Object.assign(folder, { recentMs: nowMs, fullMs: nowMs });
    else if (recent.has(folder.emfdid)) folder.recentMs = nowMs;
  }
  Object.assign(account, { checkedMs: nowMs, retryMs: null, failure: null, failureCount: 0, times: null });
}

export function endPassBadly(account: ModelAccount, failure: ErrorRecord, nowMs: number): void {
  const failureCount = account.failureCount + 1;
  const retryMs = retryAtMs(failure, failureCount, nowMs);
  Object.assign(account, { checkedMs: nowMs, retryMs, failure, failureCount, times: null });
}
