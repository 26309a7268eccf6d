/**
 * Sends what is due of one account over several connections: they take work from one queue, which is filled in batches while they
 * are busy. Trouble that is the account's ends the drain: what has not been tried is put back as if it had never begun.
 */
import { asEngineError, type ErrorRecord } from '../base/errors.ts';
import { createLine } from './line.ts';
import { failUnopened, sendOne, troubleText } from './send-one.ts';
import type { DrainInput, Team } from './team.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

/** What ended the drain before the outbox was empty; null: it is empty, or the task was stopped. */
export async function drain(input: DrainInput): Promise<ErrorRecord | null> {
  const queue = createWorkQueue(input);
  const team = createTeam(input, queue);
  const workers = new Set<Promise<void>>();
  const start = (isFurther: boolean): void => {
    const worker = work(team, queue, isFurther)
      .catch((error: unknown) => team.fail(error))
      .finally(() => workers.delete(worker));
    workers.add(worker);
  };
  // One first: a server that is down, or refuses the login, is not asked five times at once.
  const grow = (): void => {
    const more = team.openCount === 0 ? 0 : Math.min(team.connectionsMax - workers.size, queue.waitingCount());
    for (let count = 0; count < more; count += 1) start(true);
  };
  queue.onFilled = grow;
  team.onOpened = grow;
  start(false);
  while (workers.size > 0) await endOrLook(team, queue, workers);
  await releaseLeft(team, queue);
  return team.trouble;
}

/** A server may think about one mail for ten minutes: what is inserted meanwhile goes out over another connection. */
const lookMs = 250;

async function endOrLook(team: Team, queue: WorkQueue, workers: ReadonlySet<Promise<void>>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, lookMs);
  });
  await Promise.race([Promise.all(workers), pause]);
  clearTimeout(timer);
  if (workers.size > 0 && workers.size < team.connectionsMax) await queue.look().catch(team.fail);
}

function createTeam(input: DrainInput, queue: WorkQueue): Team {
  const team: Team = {
    input,
    connectionsMax: input.connections,
    openCount: 0,
    trouble: null,
    failure: null,
    onOpened: () => undefined,
    stop(trouble) {
      team.trouble ??= trouble;
      queue.stop();
    },
    fail(error) {
      team.failure ??= asEngineError(error);
      queue.stop();
    },
  };
  return team;
}

/** A store that just failed may fail here again: then the next task recovers what is left. */
async function releaseLeft({ input, trouble, failure }: Team, queue: WorkQueue): Promise<void> {
  const left = queue.left();
  const lastError = trouble && troubleText(trouble);
  const released = left.length === 0 ? Promise.resolve() : input.release(left, lastError);
  if (!failure) return released;
  await Promise.allSettled([released]);
  throw failure;
}

/**
 * One connection's life: it takes work until there is none, or until it may not go on. A further one has no mail in hand while it
 * connects: some servers leave it without a greeting, and those that are open have sent everything meanwhile.
 */
async function work(team: Team, queue: WorkQueue, isFurther: boolean): Promise<void> {
  const line = createLine(team);
  try {
    if (isFurther && (await line.open()) !== null) {
      team.connectionsMax = Math.max(1, team.openCount);
      return;
    }
    for (let item = await queue.next(); item; item = await queue.next()) {
      const failure = await line.open().catch((error: unknown) => {
        // Nobody has dialled for it: it goes back with what is left.
        queue.putBack(item);
        throw error;
      });
      if (failure && team.openCount > 0 && failure.code !== 'aborted') {
        // The server grants no further connection: the others do the work.
        team.connectionsMax = team.openCount;
        return queue.putBack(item);
      }
      if (failure) return await failUnopened(team, item, failure);
      await sendOne(team, line, item);
    }
  } finally {
    line.end();
  }
}
