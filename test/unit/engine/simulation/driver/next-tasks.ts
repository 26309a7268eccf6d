/** From an account's times to its two places in the queue, one for each lane. Pure. */

import { type EngineKnowledge, scheduledAccount } from '../../../../../src/engine/due.ts';
import type { Pause, Rules } from '../../../../../src/engine/schedule/account.ts';
import { pauseMs } from '../../../../../src/engine/schedule/holds.ts';
import { isPresent } from '../../../../../src/engine/schedule/presence.ts';
import type { Lane } from '../../../../../src/engine/schedule/rules.ts';
import { jitterMs, spreadOverdue } from '../../../../../src/engine/schedule/spread.ts';
import type { TaskKind } from '../../../../../src/engine/schedule/task-class.ts';
import { type Due, nextDue, scopeAt, type Work } from '../../../../../src/engine/schedule.ts';
import type { QueuedTask } from '../../../../../src/queue/queue.ts';
import type { AccountTimes } from '../../../../../src/store/schedule.ts';

export const kindOf: Readonly<Record<Lane, TaskKind>> = { prompt: 'sync', bulk: 'bulk' };
export const lanes: readonly Lane[] = ['prompt', 'bulk'];

export interface Moment {
  readonly rules: Rules;
  readonly nowMs: number;
  readonly serverOkMs: number | null;
}

/** Of the tasks as they were: what a run of one lane says about the next. */
export type Counts = Pick<QueuedTask, 'attempts' | 'fruitlessCount'>;

const countsOf = ({ state }: AccountTimes): Counts => ({ attempts: state === 'ok' ? 0 : 1, fruitlessCount: 0 });

/** Never in the past: lateness counts from when we knew. Null: nothing is ever due in this lane. */
export function nextTask(
  times: AccountTimes,
  lane: Lane,
  moment: Moment,
  counts: Counts = countsOf(times),
  pause: Pause | null = null,
): QueuedTask | null {
  const { rules, nowMs, serverOkMs } = moment;
  const known: EngineKnowledge = { fruitlessCount: 0, pause, serverRetryMs: null, serverOkMs };
  const due = nextDue(scheduledAccount(times, known), rules, nowMs, lane);
  if (!due) return null;
  const { acntid, server } = times;
  const dueMs = Math.max(nowMs, due.atMs + holdJitterMs(acntid, due, counts, nowMs));
  return { kind: kindOf[lane], acntid, server, class: due.class, dueMs, ...counts };
}

/** Accounts that failed together do not come back together. */
function holdJitterMs(acntid: number, { atMs, hold }: Due, { attempts }: Counts, nowMs: number): number {
  return hold === 'backoff' || hold === 'login' ? jitterMs(acntid, attempts, atMs - nowMs) : 0;
}

/** At a start, when nothing is known but the store: what is overdue is spread, unless somebody is looking. */
export function firstTasks(times: AccountTimes, moment: Moment, accountCount: number): QueuedTask[] {
  const { rules, nowMs } = moment;
  const isWatched = isPresent(scheduledAccount(times), rules.presenceSeconds, nowMs);
  return lanes.flatMap((lane) => {
    const task = nextTask(times, lane, moment);
    if (!task) return [];
    const dueMs = isWatched ? task.dueMs : spreadOverdue(task.acntid, task.dueMs, accountCount, nowMs);
    return [{ ...task, dueMs }];
  });
}

export interface RunEnd {
  readonly lane: Lane;
  readonly work: Work;
  readonly startedMs: number;
  readonly hasFailed: boolean;
  /** It brought something new. */
  readonly wasUseful: boolean;
}

/**
 * After a run: that lane with its counts carried on, and the other, for which it may have found something new, unless that
 * pauses. A task unfinished is due at once, behind all others.
 */
export function tasksAfterRun(
  times: AccountTimes,
  end: RunEnd,
  before: Counts,
  isPausing: (lane: Lane) => boolean,
  moment: Moment,
): QueuedTask[] {
  return lanes.flatMap((lane) => {
    if (lane !== end.lane && isPausing(lane)) return [];
    const task = lane === end.lane ? taskAfterRun(times, end, before, moment) : nextTask(times, lane, moment);
    return task ? [task] : [];
  });
}

function taskAfterRun(times: AccountTimes, end: RunEnd, before: Counts, moment: Moment): QueuedTask | null {
  const attempts = end.hasFailed ? before.attempts + 1 : 0;
  const emfdids = leftDue(times, end, moment);
  if (emfdids === null) return nextTask(times, end.lane, moment, { attempts, fruitlessCount: 0 });
  const fruitlessCount = before.fruitlessCount + 1;
  const pause = { emfdids, fromMs: end.startedMs, untilMs: moment.nowMs + pauseMs(fruitlessCount) };
  return nextTask(times, end.lane, moment, { attempts, fruitlessCount }, pause);
}

/** Folders that the run was for, and that are due again at once although it ended well; null: it was not in vain. */
function leftDue(times: AccountTimes, end: RunEnd, { rules, nowMs }: Moment): number[] | null {
  if (end.hasFailed || end.wasUseful) return null;
  const again = scopeAt(scheduledAccount(times), rules, nowMs, end.lane === 'prompt' ? 'prompt' : undefined);
  if (!again) return null;
  const [before, after] = [foldersOf(end.work), foldersOf(again)];
  const left = [
    ...after.recent.filter((emfdid) => before.all.has(emfdid)),
    ...after.full.filter((emfdid) => before.full.includes(emfdid)),
  ];
  return left.length > 0 || after.all.size === 0 ? left : null;
}

function foldersOf({ scope }: Work): { recent: readonly number[]; full: readonly number[]; all: ReadonlySet<number> } {
  if (scope.kind !== 'schedule') return { recent: [], full: [], all: new Set() };
  const { recent, full } = scope;
  return { recent, full, all: new Set([...recent, ...full]) };
}
