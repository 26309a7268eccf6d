/**
 * Reading as a kind of work: one task at a time, in slices of some seconds, for as long as there is mail to read. It has a thread
 * and a pool of its own, so it never takes a place from sync.
 */
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Queue, QueuedTask } from '../../queue/queue.ts';
import type { Threads } from '../threads/threads.ts';
import type { KindOfWork } from './dispatcher.ts';

export interface ReadKindOptions {
  readonly queue: Queue;
  readonly threads: Threads;
  readonly hasUnread: () => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ReadKind extends KindOfWork {
  /** There may be mail to read; true: there is, and it is in the queue. */
  look(): Promise<boolean>;
}

/** The task that belongs to no account. */
const key = { kind: 'read', acntid: 0 } as const;
/** A claim is finished after this; a thread that dies with one costs as much. */
const sliceMs = 5000;
/** What a dead thread had claimed is free again after two minutes. */
const leasedMs = 30_000;
/** After a task that died or failed. */
const failedMs = 60_000;

export function createReadKind({ queue, threads, hasUnread, clock, log }: ReadKindOptions): ReadKind {
  const task = (inMs: number): QueuedTask => ({
    ...key,
    server: '',
    class: 'reading',
    dueMs: clock().getTime() + inMs,
    attempts: 0,
    fruitlessCount: 0,
  });
  return {
    async look() {
      const [known] = (await queue.tasksOf(key.acntid)).filter(({ kind }) => kind === key.kind);
      if (known || !(await hasUnread())) return false;
      await queue.put([task(0)]);
      return true;
    },
    connectionCountMax: () => 0,
    begin: () => undefined,
    async run() {
      const outcome = await threads.run('read', { countMax: Number.MAX_SAFE_INTEGER, msMax: sliceMs }, null);
      if ('error' in outcome) {
        if (outcome.error.code !== 'aborted') log.warn(`reading: ${outcome.error.detail}`);
        return [task(failedMs)];
      }
      const { readCount, failedCount, threadedCount, hasMore } = outcome.report;
      log.debug(`read ${readCount} mails, ${failedCount} could not be read, ${threadedCount} put into conversations`);
      if (hasMore) return [task(0)];
      return (await hasUnread()) ? [task(leasedMs)] : [];
    },
  };
}
