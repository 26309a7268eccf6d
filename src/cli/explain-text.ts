/** `explain` for people. Pure. */
import type { Rules } from '../engine/schedule/account.ts';
import type { Explanation, FolderExplanation, Held } from '../engine/schedule/explanation.ts';
import { folderRules } from '../engine/schedule/rules.ts';
import type { QueuePeek } from '../queue/peek.ts';
import type { Account, Folder } from '../store/store.ts';
import { formatTable } from './table.ts';

/** What the two ways of printing start from. */
export interface Findings {
  readonly account: Account;
  readonly folders: readonly Folder[];
  readonly explanation: Explanation;
  /** Null: no engine has left one. */
  readonly queue: QueuePeek | null;
  readonly rules: Rules;
  readonly connectionsPerHost: number;
  readonly nowMs: number;
  /** Local date and time of an instant. */
  readonly local: (ms: number) => string;
}

export function explanationText(findings: Findings, shown: readonly FolderExplanation[], isOneFolder: boolean): string {
  const { account, explanation, local, nowMs } = findings;
  const { host, port } = account.imap;
  const parts = [
    `account ${account.acntid}, ${account.email} at ${host}:${port}; now ${local(nowMs)}`,
    ...userLines(findings),
    `next: ${nextLine(findings)}`,
    ...explanation.rules.map(({ text }) => `  ${text}`),
    ...explanation.holds.map((hold) => heldLine(findings, hold)),
    ...(account.lastError === null ? [] : [`last error: ${account.lastError}`]),
    ...queueLines(findings),
    '',
    isOneFolder ? folderText(findings, shown) : folderTable(findings, shown),
  ];
  return parts.join('\n').trimEnd();
}

function userLines({ explanation: { users }, local }: Findings): string[] {
  if (users.length === 0) return ['presence: no user: the intervals are those of users not logged in'];
  return users.map(({ userId, untilMs }) =>
    untilMs === null
      ? `presence: user ${userId} is not logged in`
      : `presence: user ${userId} is logged in until ${local(untilMs)}`,
  );
}

function nextLine(findings: Findings): string {
  const { next } = findings.explanation;
  if (!next) return 'nothing, until somebody changes something';
  const what = next.emfdid === null ? 'the account' : `folder ${next.emfdid} (${pathOf(findings, next.emfdid)})`;
  return `${what}, by rule "${next.rule}", ${when(findings, next.atMs)}${next.hold === null ? '' : `, held back by "${next.hold}"`}`;
}

const pathOf = ({ folders }: Findings, emfdid: number): string =>
  folders.find((folder) => folder.emfdid === emfdid)?.path ?? '?';

function when({ local, nowMs }: Findings, ms: number): string {
  if (ms === 0) return 'at once';
  return ms <= nowMs ? `due since ${local(ms)}` : `${local(ms)} (in ${duration(ms - nowMs)})`;
}

function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 2) return `${Math.round(ms / 1000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

function heldLine(findings: Findings, { name, text, untilMs }: Held): string {
  const until = untilMs === Number.POSITIVE_INFINITY ? '' : ` until ${findings.local(untilMs)}`;
  return `held back (${name})${until}: ${text}`;
}

/** What the engine has made of it; and whether the host's connections are all in use. */
function queueLines(findings: Findings): string[] {
  const { queue, account, connectionsPerHost } = findings;
  if (!queue) return ['queue: no engine has left one here'];
  const lines = queue.tasks.map((task) =>
    task.runningSinceMs === null
      ? `queue: ${task.kind} waits as ${task.class}, ${when(findings, task.dueMs)}${countsText(task)}`
      : `queue: ${task.kind} is running as ${task.class} since ${findings.local(task.runningSinceMs)}`,
  );
  const onHost = queue.running.filter(({ server }) => server.startsWith(`${account.imap.host.toLowerCase()}:`)).length;
  return onHost === 0
    ? lines
    : [...lines, `budget: ${onHost} passes running on this host, of ${connectionsPerHost} connections`];
}

function countsText({ attempts, fruitlessCount }: { attempts: number; fruitlessCount: number }): string {
  if (attempts > 0) return `, after ${attempts} failures in a row`;
  return fruitlessCount > 0 ? `, after ${fruitlessCount} passes in a row that brought nothing and left it due` : '';
}

function folderTable(findings: Findings, shown: readonly FolderExplanation[]): string {
  if (shown.length === 0) return 'no folders yet';
  return formatTable(
    shown.map((folder) => ({
      emfdid: folder.emfdid,
      path: pathOf(findings, folder.emfdid),
      priority: findings.folders.find(({ emfdid }) => emfdid === folder.emfdid)?.priority,
      rule: folder.rule,
      due: folder.dueMs === null ? 'never' : when(findings, folder.dueMs),
      'held back by': folder.holds.map(({ name }) => name).join(', ') || null,
    })),
  );
}

/** Every rule, also those that do not apply. */
function folderText(findings: Findings, [folder]: readonly FolderExplanation[]): string {
  if (!folder) return '';
  const rows = folderRules.map(({ name, text }) => {
    const applied = folder.rules.find((rule) => rule.name === name);
    return {
      rule: name,
      due: applied ? when(findings, applied.dueMs) : 'does not apply',
      text: applied?.text ?? text(findings.rules),
    };
  });
  return [
    `folder ${folder.emfdid}, ${pathOf(findings, folder.emfdid)}`,
    ...folder.holds.map((hold) => heldLine(findings, hold)),
    formatTable(rows),
  ].join('\n');
}
