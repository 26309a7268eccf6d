/** Makes the sync tasks of the queue again from the store, page by page. What runs is left alone, and so are other kinds. */
import { allAccountTimes } from '../../../../../src/engine/due.ts';
import { dailySpreadMs } from '../../../../../src/engine/schedule/daily-window.ts';
import { firstTasks, kindOf } from './next-tasks.ts';
import { momentOf, type PlannerState } from './state.ts';

/** A call while one is under way makes that one begin again: what it has read may be old. */
export function createRefill(state: PlannerState): () => Promise<void> {
  let underWay: Promise<void> | null = null;
  let isStale = false;
  const fill = async (): Promise<void> => {
    do {
      isStale = false;
      await fillOnce(state, () => isStale);
    } while (isStale);
  };
  return () => {
    isStale = underWay !== null;
    underWay ??= fill().finally(() => {
      underWay = null;
    });
    return underWay;
  };
}

async function fillOnce(state: PlannerState, isStale: () => boolean): Promise<void> {
  const { store, queue, servers } = state;
  const accountCount = await store.accountCount();
  state.rulesNow = state.rules(dailySpreadMs(accountCount));
  state.pausing.clear();
  await servers.load();
  for (const kind of Object.values(kindOf)) await queue.clear(kind);
  for await (const page of allAccountTimes(store)) {
    await queue.put(page.flatMap((times) => firstTasks(times, momentOf(state, times.server), accountCount)));
    if (isStale()) return;
  }
}
