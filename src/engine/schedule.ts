/**
 * When an account is next due, and what is to be done then. Pure: the account, the rules and the clock come in as data. What
 * is due by a rule (schedule/rules.ts) waits for what holds it back (schedule/holds.ts).
 */
import type { Scope } from '../sync/pass.ts';
import type { Rules, ScheduledAccount, ScheduledFolder } from './schedule/account.ts';
import { accountHolds, folderHolds, type HoldName, pauseHold } from './schedule/holds.ts';
import { isPresent } from './schedule/presence.ts';
import {
  accountRules,
  type FolderRule,
  type FolderRuleName,
  folderRules,
  type Lane,
  type Look,
  type RuleName,
} from './schedule/rules.ts';
import type { TaskClass } from './schedule/task-class.ts';

export interface Due {
  /** May lie in the past. */
  readonly atMs: number;
  readonly rule: RuleName;
  /** Null: by a rule for the account as a whole. */
  readonly emfdid: number | null;
  /** What moved it to `atMs`; null: the rule alone. */
  readonly hold: HoldName | null;
  readonly class: TaskClass;
}

export interface Work {
  readonly scope: Scope;
  /** Folders of the scope that were never synced. */
  readonly first: readonly number[];
  readonly class: TaskClass;
  /** Folders in it: more connections than these are of no use. */
  readonly folderCount: number;
}

export const lookAt = (account: ScheduledAccount, rules: Rules, nowMs: number): Look => ({
  account,
  rules,
  nowMs,
  isPresent: isPresent(account, rules.presenceSeconds, nowMs),
});

/** Null: never, until somebody changes something. Only what waits in `lane`; of both lanes when absent. */
export function nextDue(account: ScheduledAccount, rules: Rules, nowMs: number, lane?: Lane): Due | null {
  const look = lookAt(account, rules, nowMs);
  const held = longest(accountHolds, ({ untilMs }) => untilMs(look));
  if (held.untilMs === Number.POSITIVE_INFINITY) return null;
  const due = earliestDue(look, lane);
  if (!due || held.untilMs <= due.atMs) return due;
  return { ...due, atMs: held.untilMs, hold: held.name };
}

/** What is due now; null: nothing. `prompt` leaves bulk out, so that urgent work does not become long work. */
export function scopeAt(account: ScheduledAccount, rules: Rules, nowMs: number, lane?: 'prompt'): Work | null {
  const look = lookAt(account, rules, nowMs);
  if (accountHolds.some(({ untilMs }) => untilMs(look) !== null)) return null;
  const accountRule = accountRules.find((rule) => isIn(rule, lane) && isDue(rule.dueMs(look), null, look));
  const due = account.folders.flatMap((folder) => dueRules(folder, look, lane, 0));
  if (due.length === 0 && !accountRule) return null;
  return workOf(account, look, lane, due);
}

/** A rule's time, or the end of the pause after passes that did not satisfy it. */
const isDue = (dueMs: number | null, emfdid: number | null, look: Look, alongMs = 0): boolean =>
  dueMs !== null && dueMs <= look.nowMs + alongMs && pauseHold.untilMs(dueMs, emfdid, look) <= look.nowMs;
const isIn = (rule: { readonly lane: Lane }, lane: Lane | undefined): boolean =>
  lane === undefined || rule.lane === lane;

/** Something is due, so the pass also takes along what will be due in a moment. */
function workOf(account: ScheduledAccount, look: Look, lane: Lane | undefined, due: readonly FolderRule[]): Work {
  const [recent, full, first]: number[][] = [[], [], []];
  for (const folder of account.folders) {
    const rules = dueRules(folder, look, lane, 1);
    if (rules.length === 0) continue;
    (rules.some(({ pass }) => pass === 'full') ? full : recent)?.push(folder.emfdid);
    if (!folder.isFirstSynced) first?.push(folder.emfdid);
  }
  return {
    scope: {
      kind: 'schedule',
      recent: recent ?? [],
      full: full ?? [],
      ...(lane === 'prompt' && { leavesFirst: true }),
    },
    first: first ?? [],
    class: mostUrgent(due, look.isPresent),
    folderCount: (recent?.length ?? 0) + (full?.length ?? 0),
  };
}

/** `alongShare` 0: what is due; 1: also what may be taken along. */
function dueRules(folder: ScheduledFolder, look: Look, lane: Lane | undefined, alongShare: 0 | 1): FolderRule[] {
  if (folderHolds.some(({ untilMs }) => untilMs(folder, look) !== null)) return [];
  return folderRules.filter(
    (rule) =>
      isIn(rule, lane) &&
      rule.appliesTo(folder) &&
      isDue(rule.dueMs(folder, look), folder.emfdid, look, alongShare * rule.alongMs(look)),
  );
}

/** In the order of urgency. */
const classes: readonly (readonly [rule: FolderRuleName, whenPresent: TaskClass, whenAway: TaskClass])[] = [
  ['recent', 'live', 'recent'],
  ['unfinished', 'live', 'recent'],
  ['full', 'live', 'full'],
  ['daily', 'daily', 'daily'],
];

/** A first sync, or a first look at the account, when nothing else is due. */
function mostUrgent(due: readonly FolderRule[], isThere: boolean): TaskClass {
  const found = classes.find(([name]) => due.some((rule) => rule.name === name));
  return found?.[isThere ? 1 : 2] ?? 'first';
}

function classOf(rule: RuleName, isThere: boolean): TaskClass {
  return classes.find(([name]) => name === rule)?.[isThere ? 1 : 2] ?? 'first';
}

function earliestDue(look: Look, lane: Lane | undefined): Due | null {
  const found: { earliest: Due | null } = { earliest: null };
  const offer = (rule: RuleName, dueMs: number, emfdid: number | null, held: LongestHold): void => {
    const pausedMs = pauseHold.untilMs(dueMs, emfdid, look);
    const atMs = Math.max(dueMs, held.untilMs, pausedMs);
    if (found.earliest && found.earliest.atMs <= atMs) return;
    const hold = atMs === dueMs ? null : atMs === pausedMs ? pauseHold.name : held.name;
    found.earliest = { atMs, rule, emfdid, hold, class: classOf(rule, look.isPresent) };
  };
  for (const rule of accountRules) {
    const dueMs = isIn(rule, lane) ? rule.dueMs(look) : null;
    if (dueMs !== null) offer(rule.name, dueMs, null, noHold);
  }
  for (const folder of look.account.folders) {
    const held = longest(folderHolds, ({ untilMs }) => untilMs(folder, look));
    if (held.untilMs === Number.POSITIVE_INFINITY) continue;
    for (const rule of folderRules)
      if (isIn(rule, lane) && rule.appliesTo(folder)) offer(rule.name, rule.dueMs(folder, look), folder.emfdid, held);
  }
  return found.earliest;
}

interface LongestHold {
  readonly name: HoldName | null;
  /** 0: none holds. */
  readonly untilMs: number;
}

const noHold: LongestHold = { name: null, untilMs: 0 };

/** The hold that lets go last. */
function longest<Hold extends { readonly name: HoldName }>(
  holds: readonly Hold[],
  untilOf: (hold: Hold) => number | null,
): LongestHold {
  let last = noHold;
  for (const hold of holds) {
    const untilMs = untilOf(hold);
    if (untilMs !== null && untilMs > last.untilMs) last = { name: hold.name, untilMs };
  }
  return last;
}
