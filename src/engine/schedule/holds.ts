/**
 * What holds back that which is due, as a list: the schedule asks it, `explain` prints it. Pure. A time further ahead than any
 * wait we ever set comes from a clock that jumped, and holds nothing.
 */
import type { ScheduledFolder } from './account.ts';
import type { Look } from './rules.ts';
import { healsWithServer } from './server-health.ts';

export type AccountHoldName = 'sync-off' | 'disabled' | 'login' | 'backoff' | 'server';
export type FolderHoldName = 'off' | 'not-selectable' | 'folder-backoff';
export type HoldName = AccountHoldName | FolderHoldName | 'pause';

/** `untilMs`: when it lets go; Infinity: when somebody changes something; null: it does not hold. */
export interface AccountHold {
  readonly name: AccountHoldName;
  readonly untilMs: (look: Look) => number | null;
  readonly text: string;
}

export interface FolderHold {
  readonly name: FolderHoldName;
  readonly untilMs: (folder: ScheduledFolder, look: Look) => number | null;
  readonly text: string;
}

const hourMs = 3_600_000;
/** Waits are named by servers (a day at most, sync/backoff.ts), or by EMAIL_AUTH_ERROR_CHECK_RETRY_TIME. */
const longestWaitMs = ({ rules }: Look): number => Math.max(25 * hourMs, rules.authRetrySeconds * 1000 + hourMs);

function ahead(ms: number | null, look: Look): number | null {
  return ms !== null && ms > look.nowMs && ms - look.nowMs < longestWaitMs(look) ? ms : null;
}

export const accountHolds: readonly AccountHold[] = [
  {
    name: 'sync-off',
    untilMs: ({ rules }) => (rules.isSyncEnabled ? null : Number.POSITIVE_INFINITY),
    text: 'EMAIL_BACKGROUND_SYNC_ENABLED is false',
  },
  {
    name: 'disabled',
    untilMs: ({ account }) => (account.enabled ? null : Number.POSITIVE_INFINITY),
    text: 'the account is disabled',
  },
  {
    name: 'login',
    untilMs: (look) =>
      look.account.state === 'auth_error' && look.account.checkedMs !== null && look.account.checkedMs <= look.nowMs
        ? ahead(look.account.checkedMs + look.rules.authRetrySeconds * 1000, look)
        : null,
    text: 'the login failed: it is tried again every EMAIL_AUTH_ERROR_CHECK_RETRY_TIME, or at once with a new password',
  },
  {
    name: 'backoff',
    untilMs: (look) =>
      look.account.state === 'auth_error' || hasServerRecovered(look) ? null : ahead(look.account.retryMs, look),
    text: 'it failed, or the server asked for rest: tried again then (retry_at)',
  },
  {
    name: 'server',
    untilMs: (look) => ahead(look.account.serverRetryMs, look),
    text: 'its server fails for several accounts: one of them tries then',
  },
];

export const folderHolds: readonly FolderHold[] = [
  {
    name: 'off',
    untilMs: (folder) => (folder.priority === 'off' ? Number.POSITIVE_INFINITY : null),
    text: 'its priority is off',
  },
  {
    name: 'not-selectable',
    untilMs: (folder) => (folder.isSelectable ? null : Number.POSITIVE_INFINITY),
    text: 'the server lets nobody open it',
  },
  {
    name: 'folder-backoff',
    untilMs: (folder, look) => ahead(folder.retryMs, look),
    text: 'it failed: tried again then (retry_at)',
  },
];

/** 30 s, 1, 2 … 15 minutes after passes in a row that brought nothing and left the same thing due. */
const pauseMsFirst = 30_000;
const pauseMsMax = 900_000;

export const pauseMs = (fruitlessCount: number): number =>
  Math.min(pauseMsMax, pauseMsFirst * 2 ** Math.min(fruitlessCount - 1, 10));

/** A rule that passes do not satisfy must not become a loop. */
export const pauseHold = {
  name: 'pause',
  text: 'passes ended well, but left this due: the next one comes later',
  /** `emfdid` null: of the account as a whole. */
  untilMs(dueMs: number, emfdid: number | null, { account: { pause }, nowMs }: Look): number {
    if (pause === null || dueMs > pause.fromMs || pause.untilMs - nowMs > pauseMsMax) return 0;
    return emfdid === null || pause.emfdids.includes(emfdid) ? pause.untilMs : 0;
  },
} as const;

/** The account failed for the sake of its server, and that has answered since: its own wait has lost its reason. */
function hasServerRecovered({ account: { failureCode, serverOkMs, checkedMs } }: Look): boolean {
  if (failureCode === null || !healsWithServer(failureCode)) return false;
  return serverOkMs !== null && checkedMs !== null && serverOkMs > checkedMs;
}
