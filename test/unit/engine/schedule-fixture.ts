/** Accounts, folders and rules for the tests of the schedule: everything is well and nothing is due, save what a test says. */
import { createTimeZone } from '../../../src/base/time-zone.ts';
import type { Rules, ScheduledAccount, ScheduledFolder } from '../../../src/engine/schedule/account.ts';

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** A Tuesday, 13:00 in Warsaw. */
export const noonMs = Date.parse('2026-11-24T12:00:00Z');

export const timeOfDayMs = (time: string): number => Date.parse(`1970-01-01T${time}:00Z`);

export const warsaw = createTimeZone('Europe/Warsaw');

export const makeRules = (more: Partial<Rules> = {}): Rules => ({
  isSyncEnabled: true,
  recentSeconds: 600,
  recentSecondsAway: 1800,
  fullSeconds: 3600,
  fullSecondsAway: 4800,
  presenceSeconds: 900,
  authRetrySeconds: 1800,
  daily: { zone: warsaw, startMs: timeOfDayMs('20:00'), spreadMs: 0 },
  ...more,
});

export const makeFolder = (more: Partial<ScheduledFolder> = {}): ScheduledFolder => ({
  emfdid: 1,
  priority: 'high',
  isSelectable: true,
  isFirstSynced: true,
  hasPending: false,
  recentSyncedMs: noonMs,
  fullSyncedMs: noonMs,
  retryMs: null,
  ...more,
});

export const makeAccount = (
  folders: readonly ScheduledFolder[] = [makeFolder()],
  more: Partial<ScheduledAccount> = {},
): ScheduledAccount => ({
  acntid: 53,
  server: 'mail.example.com:993',
  users: [],
  enabled: true,
  state: 'ok',
  failureCode: null,
  retryMs: null,
  checkedMs: noonMs,
  pause: null,
  serverRetryMs: null,
  serverOkMs: null,
  folders,
  ...more,
});

export const seen = (...lastSeenMs: readonly (number | null)[]): Pick<ScheduledAccount, 'users'> => ({
  users: lastSeenMs.map((ms, index) => ({ userId: `u${index}`, lastSeenMs: ms })),
});
