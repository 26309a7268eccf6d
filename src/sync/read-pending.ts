/**
 * The second stage: reads what sync has stored, newest first, and puts messages into conversations. Runs in a thread without
 * sockets. A content is claimed durably before it is read (store/reading.ts), so a mail that takes this thread down is read alone
 * the next time and given up after the second. Killed at any line, at most one claim is read again. The event loop turns between
 * two mails, and one mail is bounded by mime/read-limits.ts.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { throwIfAborted } from '../base/abort.ts';
import { toInstant } from '../base/clock.ts';
import { readerVersion } from '../mime/reader-version.ts';
import type { UnreadContent } from '../store/reading.ts';
import type { ReadPorts, ReadReport, ReadTask } from './read.ts';
import { createReadingWriter, type ReadingWriter } from './reading-writer.ts';

/** What is claimed is read again alone when the thread dies; a claim of 64 costs an fsync every 10 ms of reading. */
const claimCountMax = 128;
const claimBytesMax = 8 * 1024 * 1024;
/** 128 mails that each take all they may take are over before that. */
const leaseMs = 120_000;
/** About 10 ms of the store thread. */
const threadedAtOnce = 250;

/** Throws `aborted`, `fenced` and what the store throws; what was read until then is written. */
export async function readPending(ports: ReadPorts, task: ReadTask): Promise<ReadReport> {
  const endMs = performance.now() + task.msMax;
  const writer = createReadingWriter(ports);
  try {
    return await readOn(ports, writer, { ...task, endMs });
  } finally {
    await release(ports, writer.openIds());
  }
}

interface Bounds extends ReadTask {
  readonly endMs: number;
}

/** The end of one claim, conversations, and the next claim are asked for together: one transaction in the store thread. */
async function readOn(ports: ReadPorts, writer: ReadingWriter, bounds: Bounds): Promise<ReadReport> {
  let threadedCount = 0;
  for (;;) {
    throwIfAborted(ports.signal);
    const mayClaim = performance.now() < bounds.endMs ? bounds.countMax - writer.claimedCount() : 0;
    const works = [writer.flush(), ports.store.threadMessages(threadedAtOnce), claim(ports, writer, mayClaim)] as const;
    // What is still under way when another has failed could not be released.
    await Promise.allSettled(works);
    const [, threaded, claimed] = await Promise.all(works);
    threadedCount += threaded;
    const isIdle = claimed.length === 0 && threaded < threadedAtOnce;
    const report = { ...writer.counts(), threadedCount, hasMore: !isIdle || mayClaim <= 0 };
    ports.onProgress?.(report);
    if (isIdle || (claimed.length === 0 && performance.now() >= bounds.endMs)) return report;
    await readEach(ports, writer, claimed);
  }
}

async function claim(ports: ReadPorts, writer: ReadingWriter, countMax: number): Promise<UnreadContent[]> {
  if (countMax <= 0) return [];
  const claimed = await ports.store.claimUnread({
    readerVersion,
    countMax: Math.min(claimCountMax, countMax),
    bytesMax: claimBytesMax,
    leaseMs,
    at: toInstant(ports.clock()),
  });
  writer.open(claimed);
  return claimed;
}

/** Stops at an abort; what has been read by then is written. */
async function readEach(ports: ReadPorts, writer: ReadingWriter, claimed: readonly UnreadContent[]): Promise<void> {
  for (const content of claimed) {
    if (ports.signal.aborted) return writer.flush();
    await writer.read(content);
    await turn();
  }
}

/** A store that does not answer any more finds them abandoned later: the first failure is what the caller shall hear of. */
async function release({ store, log }: ReadPorts, contentIds: readonly number[]): Promise<void> {
  if (contentIds.length === 0) return;
  try {
    await store.releaseUnread(contentIds);
  } catch (error) {
    log.debug(`claims of ${contentIds.length} mails end by themselves: ${String(error)}`);
  }
}
