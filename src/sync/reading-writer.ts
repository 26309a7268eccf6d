/**
 * Reads claimed contents and writes what was found, in batches, while the next mails are read: one batch is filled, at most one is
 * on its way. A batch is a few milliseconds of the store thread, because sync waits behind it.
 */
import { toInstant } from '../base/clock.ts';
import { readerVersion } from '../mime/reader-version.ts';
import type { Reading, UnreadContent } from '../store/reading.ts';
import type { ReadPorts, ReadReport } from './read.ts';
import { readContent } from './read-content.ts';

export interface ReadingWriter {
  /** Claimed: to be read, or to be released. */
  open(contents: readonly UnreadContent[]): void;
  read(content: UnreadContent): Promise<void>;
  /** Everything read so far is committed when this resolves. */
  flush(): Promise<void>;
  /** Claimed, and nothing was recorded of them. */
  openIds(): number[];
  claimedCount(): number;
  counts(): Pick<ReadReport, 'readCount' | 'failedCount' | 'readBytes'>;
}

/** About 10 ms of tokenising and writing; the fsync of a batch takes as long on many disks. */
const batchCharsMax = 512 * 1024;
const batchCountMax = 64;

export function createReadingWriter(ports: ReadPorts): ReadingWriter {
  const unrecorded = new Set<number>();
  const counts = { readCount: 0, failedCount: 0, readBytes: 0 };
  let claimedCount = 0;
  let batch: Reading[] = [];
  let chars = 0;
  let writing: Promise<void> = Promise.resolve();

  const write = async (readings: readonly Reading[]): Promise<void> => {
    const at = toInstant(ports.clock());
    const { readCount, failedCount } = await ports.store.recordRead({ readings, readerVersion, at });
    counts.readCount += readCount;
    counts.failedCount += failedCount;
    for (const { contentId } of readings) unrecorded.delete(contentId);
  };
  /** Waits for the batch before, then sends this one without waiting for it. */
  const send = async (): Promise<void> => {
    const full = batch;
    batch = [];
    chars = 0;
    await writing;
    if (full.length === 0) return;
    writing = write(full);
    // Awaited by the next send or flush; without a handler of its own a failure in between would end the process.
    writing.catch(() => undefined);
  };

  return {
    open(contents) {
      claimedCount += contents.length;
      for (const { contentId } of contents) unrecorded.add(contentId);
    },
    async read(content) {
      const reading = readContent(content, await ports.store.contentRaw(content.contentId));
      counts.readBytes += content.bytes;
      if ('failure' in reading) ports.log.warn(`content ${content.contentId} cannot be read: ${reading.failure}`);
      batch.push(reading);
      chars += charsOf(reading);
      if (batch.length >= batchCountMax || chars >= batchCharsMax) await send();
    },
    async flush() {
      await send();
      await writing;
    },
    openIds: () => [...unrecorded],
    claimedCount: () => claimedCount,
    counts: () => ({ ...counts }),
  };
}

const charsOf = (reading: Reading): number =>
  'failure' in reading ? 0 : (reading.text?.length ?? 0) + (reading.html?.length ?? 0) + reading.search.words.length;
