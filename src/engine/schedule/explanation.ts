/** Why an account is due when it is: the schedule's rules and holds, each with its own answer. Pure. */
import { nextDue } from '../schedule.ts';
import type { Rules, ScheduledAccount, ScheduledFolder } from './account.ts';
import { accountHolds, folderHolds, type HoldName } from './holds.ts';
import { isSeen } from './presence.ts';
import { accountRules, folderRules, type Look, type RuleName } from './rules.ts';

export interface AppliedRule {
  readonly name: RuleName;
  readonly text: string;
  /** Since when it is due, or when it will be; 0: since ever. */
  readonly dueMs: number;
}

export interface Held {
  readonly name: HoldName;
  readonly text: string;
  /** Infinity: until somebody changes something. */
  readonly untilMs: number;
}

export interface FolderExplanation {
  readonly emfdid: number;
  readonly rules: readonly AppliedRule[];
  readonly holds: readonly Held[];
  /** When it is due, with what holds it back; null: never. */
  readonly dueMs: number | null;
  /** The rule that comes first. */
  readonly rule: RuleName | null;
}

export interface Explanation {
  readonly next: ReturnType<typeof nextDue>;
  readonly users: readonly { readonly userId: string; readonly untilMs: number | null }[];
  /** For the account as a whole. */
  readonly rules: readonly AppliedRule[];
  readonly holds: readonly Held[];
  readonly folders: readonly FolderExplanation[];
}

export function explain(account: ScheduledAccount, rules: Rules, nowMs: number): Explanation {
  const users = account.users.map(({ userId, lastSeenMs }) => {
    const isHere = isSeen(lastSeenMs, rules.presenceSeconds, nowMs);
    return { userId, untilMs: isHere && lastSeenMs !== null ? lastSeenMs + rules.presenceSeconds * 1000 : null };
  });
  const look: Look = { account, rules, nowMs, isPresent: users.some(({ untilMs }) => untilMs !== null) };
  return {
    next: nextDue(account, rules, nowMs),
    users,
    rules: accountRules.flatMap(({ name, text, dueMs }) => {
      const due = dueMs(look);
      return due === null ? [] : [{ name, text: text(rules), dueMs: due }];
    }),
    holds: accountHolds.flatMap(({ name, text, untilMs }) => held(name, text, untilMs(look))),
    folders: account.folders.map((folder) => explainFolder(folder, look)),
  };
}

function explainFolder(folder: ScheduledFolder, look: Look): FolderExplanation {
  const rules = folderRules
    .filter(({ appliesTo }) => appliesTo(folder))
    .map(({ name, text, dueMs }) => ({ name, text: text(look.rules), dueMs: dueMs(folder, look) }));
  const holds = folderHolds.flatMap(({ name, text, untilMs }) => held(name, text, untilMs(folder, look)));
  const [first] = [...rules].sort((a, b) => a.dueMs - b.dueMs);
  const untilMs = Math.max(0, ...holds.map((hold) => hold.untilMs));
  const dueMs = first && untilMs !== Number.POSITIVE_INFINITY ? Math.max(first.dueMs, untilMs) : null;
  return { emfdid: folder.emfdid, rules, holds, dueMs, rule: first?.name ?? null };
}

const held = (name: HoldName, text: string, untilMs: number | null): Held[] =>
  untilMs === null ? [] : [{ name, text, untilMs }];
