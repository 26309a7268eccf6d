/** The store's side of a simulation: the times of accounts, as sync leaves them behind. Instants in wall-clock milliseconds. */
import { toInstant } from '../../../../src/base/clock.ts';
import type { ErrorRecord } from '../../../../src/base/errors.ts';
import type { Work } from '../../../../src/engine/schedule.ts';
import type { AccountTimes, ServerRest } from '../../../../src/store/schedule.ts';
import { retryAtMs } from '../../../../src/sync/backoff.ts';
import type { PlannerPorts } from './driver/state.ts';

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

/** `accounts`: account 1 first; undefined: removed. */
export function createModelStore(accounts: () => readonly (ModelAccount | undefined)[]): PlannerPorts['store'] {
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

/** As sync/sync-account.ts and store/sqlite/pass.ts write it. Returns whether anything new came. */
export function endPassWell(account: ModelAccount, { scope, first }: Work, firstMs: number, nowMs: number): boolean {
  if (scope.kind !== 'schedule') return false;
  const [recent, full] = [new Set(scope.recent), new Set(scope.full)];
  let left = firstMs;
  for (const folder of account.folders) {
    if (first.includes(folder.emfdid)) {
      const step = Math.min(folder.firstMs, left);
      [left, folder.firstMs] = [left - step, folder.firstMs - step];
      if (folder.firstMs <= 0) Object.assign(folder, { recentMs: nowMs, fullMs: nowMs });
    } else if (full.has(folder.emfdid)) Object.assign(folder, { recentMs: nowMs, fullMs: nowMs });
    else if (recent.has(folder.emfdid)) folder.recentMs = nowMs;
  }
  Object.assign(account, { checkedMs: nowMs, retryMs: null, failure: null, failureCount: 0, times: null });
  return firstMs > left;
}

export function endPassBadly(account: ModelAccount, failure: ErrorRecord, nowMs: number): void {
  const failureCount = account.failureCount + 1;
  const retryMs = retryAtMs(failure, failureCount, nowMs);
  Object.assign(account, { checkedMs: nowMs, retryMs, failure, failureCount, times: null });
}
