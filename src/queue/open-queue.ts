/**
 * The queue an engine works with: on the RAM disk as long as that is possible. When the file fails (full, corrupt, deleted
 * while running, held by somebody), it is made anew once, and after that the queue lives in memory; each time the caller is
 * told to fill it again. The verb that failed has its answer from the new, empty queue: nothing is due, what ends is noted.
 * An engine that has lost its lock leaves the file alone: it is the next engine's by now.
 */
import { join } from 'node:path';
import { EngineError } from '../base/errors.ts';
import type { Queue } from './queue.ts';
import { isRamDisk } from './ram-disk.ts';
import { createAnew, inMemory, openJobFile } from './sqlite/job-file.ts';
import { createSqliteQueue } from './sqlite/sqlite-queue.ts';

export interface QueueOptions {
  /** BACKPROC_DATA_LOCATION and BACKPROC_NODE_ID. */
  readonly folder: string;
  readonly nodeId: string;
  /** False: another engine may work with the file, so it is not made anew. */
  readonly isOurs: () => boolean;
  /** Told once of each thing that is wrong, as a line for the log. */
  readonly onProblem: (text: string) => void;
  /** The queue is empty now: what runs is known to the caller, the rest stands in the store. */
  readonly onLost: () => void;
}

export const jobFileOf = (folder: string, nodeId: string): string => join(folder, `${nodeId}.db`);

export function openQueue(options: QueueOptions): Queue {
  const file = jobFileOf(options.folder, options.nodeId);
  const places = [() => openJobFile(file), () => createAnew(file), () => openJobFile(inMemory)];
  let queue = openNext(places, options, file);
  if (isRamDisk(options.folder) === false)
    options.onProblem(`${options.folder} is not on a RAM disk: job state is written to a real disk all the time`);
  // Without a pause: others may be waiting for verbs that failed on the same file.
  const replace = (error: unknown): void => {
    if (!options.isOurs()) places.splice(0, places.length - 1);
    const where = places.length > 1 ? '' : ', and kept in memory from now on';
    options.onProblem(`the job database ${file} failed: ${textOf(error)}; made again from the store${where}`);
    void queue.close().catch(() => undefined);
    queue = openNext(places, options, file);
    options.onLost();
  };
  let isClosed = false;
  const safely = async <T>(verb: (queue: Queue) => Promise<T>): Promise<T> => {
    if (isClosed) throw new EngineError('aborted', 'the queue is closed');
    const asked = queue;
    try {
      return await verb(asked);
    } catch (error) {
      const isLast = asked === queue && places.length === 0;
      if (!isStorageFailure(error) || isLast) throw error;
      if (asked === queue) replace(error);
      return safely(verb);
    }
  };
  return {
    put: (tasks) => safely((one) => one.put(tasks)),
    due: (ask) => safely((one) => one.due(ask)),
    nextDueMs: (skipServers, kinds) => safely((one) => one.nextDueMs(skipServers, kinds)),
    start: (tasks, atMs) => safely((one) => one.start(tasks, atMs)),
    end: (key, next) => safely((one) => one.end(key, next)),
    remove: (keys) => safely((one) => one.remove(keys)),
    clear: (kind) => safely((one) => one.clear(kind)),
    tasksOf: (acntid) => safely((one) => one.tasksOf(acntid)),
    running: () => safely((one) => one.running()),
    failing: (server) => safely((one) => one.failing(server)),
    counts: (nowMs) => safely((one) => one.counts(nowMs)),
    lateness: (sinceMs) => safely((one) => one.lateness(sinceMs)),
    close() {
      isClosed = true;
      return queue.close().catch(() => undefined);
    },
  };
}

/** The next place that opens; memory always does. */
function openNext(places: (() => ReturnType<typeof openJobFile>)[], { onProblem }: QueueOptions, file: string): Queue {
  for (let open = places.shift(); open; open = places.shift()) {
    try {
      return createSqliteQueue(open());
    } catch (error) {
      if (places.length === 1) onProblem(`${file} can't be made: ${textOf(error)}; job state is kept in memory`);
    }
  }
  return createSqliteQueue(openJobFile(inMemory));
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** SQLite's and the file system's complaints; everything else is a defect of ours. */
const isStorageFailure = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^(SQLITE_|E[A-Z0-9]+$)/.test(error.code);
