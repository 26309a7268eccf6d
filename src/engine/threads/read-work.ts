/** What a worker thread does with a `read` task: the second stage of mail that is stored, in a thread without sockets. */
import { systemClock } from '../../base/clock.ts';
import type { ReadReport, ReadTask } from '../../sync/read.ts';
import { readPending } from '../../sync/read-pending.ts';
import type { ThreadHost, Work } from './thread-host.ts';
import { stepBack } from './thread-priority.ts';

const nothing = (): Promise<void> => Promise.resolve();

export function createReadWork({ store, log }: ThreadHost): Work<ReadTask, ReadReport> {
  stepBack();
  return {
    run: (task, signal) => readPending({ store, log, clock: systemClock, signal }, task),
    release: nothing,
    close: nothing,
  };
}
