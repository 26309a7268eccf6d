/** From an account to its two places in the queue, one for each lane. Pure. Instants in milliseconds. */
import type { QueuedTask } from '../../queue/queue.ts';
import type { Scope } from '../../sync/pass.ts';
import { type Due, nextDue, scopeAt } from '../schedule.ts';
import type { Pause, Rules, ScheduledAccount } from './account.ts';
import { pauseMs } from './holds.ts';
import { isPresent } from './presence.ts';
import type { Lane } from './rules.ts';
import { jitterMs, spreadOverdue } from './spread.ts';
import type { TaskKind } from './task-class.ts';

export const lanes: readonly Lane[] = ['prompt', 'bulk'];
export const kindOf: Readonly<Record<Lane, TaskKind>> = { prompt: 'sync', bulk: 'bulk' };

export const syncKinds: readonly TaskKind[] = lanes.map((lane) => kindOf[lane]);
export const laneOf = (kind: string): Lane => (kind === kindOf.bulk ? 'bulk' : 'prompt');

export interface Moment {
  readonly rules: Rules;
  readonly nowMs: number;
}

/** Of the task that ran: what its run says about the next. */
export type Counts = Pick<QueuedTask, 'attempts' | 'fruitlessCount'>;

const countsOf = ({ state }: ScheduledAccount): Counts => ({ attempts: state === 'ok' ? 0 : 1, fruitlessCount: 0 });

/** Both places; a lane in which nothing is ever due has none. */
export function nextTasks(account: ScheduledAccount, moment: Moment): QueuedTask[] {
  return lanes.flatMap((lane) => nextTask(account, lane, moment) ?? []);
}

/** Its prompt place is now: by request, or because the server told of a change. */
export function urgentTasks(
  { acntid, server }: ScheduledAccount,
  tasks: readonly QueuedTask[],
  nowMs: number,
): QueuedTask[] {
  const task = { kind: kindOf.prompt, acntid, server, class: 'live', dueMs: nowMs, attempts: 0, fruitlessCount: 0 };
  return [...tasks.filter(({ kind }) => kind !== kindOf.prompt), task];
}

/** At a start, when nothing is known but the store: what is overdue is spread, unless somebody is looking. */
export function firstTasks(account: ScheduledAccount, moment: Moment, accountCount: number): QueuedTask[] {
  const { rules, nowMs } = moment;
  const tasks = nextTasks(account, moment);
  if (isPresent(account, rules.presenceSeconds, nowMs)) return tasks;
  return tasks.map((task) => ({ ...task, dueMs: spreadOverdue(task.acntid, task.dueMs, accountCount, nowMs) }));
}

export interface RunEnd {
  readonly lane: Lane;
  readonly scope: Scope;
  readonly startedMs: number;
  readonly hasFailed: boolean;
  /** It brought something new, or left something on purpose. */
  readonly wasUseful: boolean;
}

/**
 * After a run: that lane with its counts carried on, and the other, for which it may have found something new, unless that
 * pauses. A task unfinished is due at once, behind all others.
 */
export function tasksAfterRun(
  account: ScheduledAccount,
  end: RunEnd,
  before: Counts,
  isPausing: (lane: Lane) => boolean,
  moment: Moment,
): QueuedTask[] {
  return lanes.flatMap((lane) => {
    if (lane === end.lane) return taskAfterRun(account, end, before, moment) ?? [];
    return isPausing(lane) ? [] : (nextTask(account, lane, moment) ?? []);
  });
}

function taskAfterRun(account: ScheduledAccount, end: RunEnd, before: Counts, moment: Moment): QueuedTask | null {
  const attempts = end.hasFailed ? before.attempts + 1 : 0;
  const emfdids = leftDue(account, end, moment);
  if (emfdids === null) return nextTask(account, end.lane, moment, { attempts, fruitlessCount: 0 });
  const fruitlessCount = before.fruitlessCount + 1;
  const pause = { emfdids, fromMs: end.startedMs, untilMs: moment.nowMs + pauseMs(fruitlessCount) };
  return nextTask(account, end.lane, moment, { attempts, fruitlessCount }, pause);
}

/** Never in the past: lateness counts from when we knew, and who is put back goes behind those who wait. */
function nextTask(
  account: ScheduledAccount,
  lane: Lane,
  { rules, nowMs }: Moment,
  counts: Counts = countsOf(account),
  pause: Pause | null = null,
): QueuedTask | null {
  const due = nextDue({ ...account, pause }, rules, nowMs, lane);
  if (!due) return null;
  const { acntid, server } = account;
  const dueMs = Math.max(nowMs, due.atMs + holdJitterMs(acntid, due, counts, nowMs));
  return { kind: kindOf[lane], acntid, server, class: due.class, dueMs, ...counts };
}

/** Accounts that failed together do not come back together. */
function holdJitterMs(acntid: number, { atMs, hold }: Due, { attempts }: Counts, nowMs: number): number {
  return hold === 'backoff' || hold === 'login' ? jitterMs(acntid, attempts, atMs - nowMs) : 0;
}

/** Folders that the run was for, and that are due again at once although it ended well; null: it was not in vain. */
function leftDue(account: ScheduledAccount, end: RunEnd, { rules, nowMs }: Moment): number[] | null {
  if (end.hasFailed || end.wasUseful || end.scope.kind !== 'schedule') return null;
  const again = scopeAt(account, rules, nowMs, end.lane === 'prompt' ? 'prompt' : undefined);
  if (!again) return null;
  const [before, after] = [foldersOf(end.scope), foldersOf(again.scope)];
  const left = [
    ...after.recent.filter((emfdid) => before.all.has(emfdid)),
    ...after.full.filter((emfdid) => before.full.includes(emfdid)),
  ];
  return left.length > 0 || after.all.size === 0 ? left : null;
}

interface ScopeFolders {
  readonly recent: readonly number[];
  readonly full: readonly number[];
  readonly all: ReadonlySet<number>;
}

function foldersOf(scope: Scope): ScopeFolders {
  if (scope.kind !== 'schedule') return { recent: [], full: [], all: new Set() };
  const { recent, full } = scope;
  return { recent, full, all: new Set([...recent, ...full]) };
}
