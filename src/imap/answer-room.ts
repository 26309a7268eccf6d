/**
 * How much of the memory answers may hold that have begun and not ended, all connections of all threads together. What one
 * connection may hold (a line, a literal) is what an honest server can need; of a hundred hostile ones at once it was gigabytes.
 * Beyond the bound, and where the process as a whole is short of memory (a hundred honest ones in the midst of large mails hold as
 * much, and do no harm), each thread gives up those of its own that hold the most, until there is room. The account is backed
 * off, not the message: whose answer it was says nothing about the mail in it.
 */
import { EngineError } from '../base/errors.ts';

export interface AnswerRoom {
  /** `onNoRoom` is called once at most: then this answer must go, and holds nothing any more. */
  enter(onNoRoom: (reason: EngineError) => void): HeldAnswer;
}

export interface HeldAnswer {
  /** So many bytes of an answer are here whose end is not; 0 when it has ended. */
  hold(bytes: number): void;
  /** May be called twice. */
  leave(): void;
}

export interface AnswerRoomOptions {
  /** One Int32 for each thread: the KiB that it holds. Only the thread itself writes its own. */
  readonly heldKib: SharedArrayBuffer;
  readonly slot: number;
  readonly bytesMax: number;
  /** Asked while more than that is held: as long as there is memory, nobody is given up. */
  readonly isMemoryShort: () => boolean;
}

/** Who holds no more than this is never given up: all but a few mails are smaller. */
const spareBytes = 1024 * 1024;
const kib = 1024;

interface Holder {
  bytes: number;
  readonly onNoRoom: (reason: EngineError) => void;
}

export function createAnswerRoom({ heldKib, slot, bytesMax, isMemoryShort }: AnswerRoomOptions): AnswerRoom {
  const cells = new Int32Array(heldKib);
  const own = slot % cells.length;
  const holders = new Set<Holder>();
  let ownBytes = 0;
  const set = (holder: Holder, bytes: number): void => {
    ownBytes += bytes - holder.bytes;
    holder.bytes = bytes;
    Atomics.store(cells, own, Math.ceil(ownBytes / kib));
  };
  const isFull = (): boolean => cells.reduce((sum, _, cell) => sum + Atomics.load(cells, cell), 0) * kib > bytesMax;
  const leave = (holder: Holder): void => {
    if (holders.delete(holder)) set(holder, 0);
  };
  const makeRoom = (): void => {
    if (!isFull() || !isMemoryShort()) return;
    while (isFull()) {
      const largest = largestOf(holders);
      if (largest === undefined || largest.bytes <= spareBytes) return;
      const { bytes } = largest;
      leave(largest);
      largest.onNoRoom(noRoom(bytes, bytesMax));
    }
  };
  // A thread of this slot that was ended took its count with it.
  Atomics.store(cells, own, 0);
  return {
    enter(onNoRoom) {
      const holder: Holder = { bytes: 0, onNoRoom };
      holders.add(holder);
      return {
        hold(bytes) {
          if (!holders.has(holder)) return;
          const isMore = bytes > holder.bytes;
          set(holder, bytes);
          if (isMore && bytes > spareBytes) makeRoom();
        },
        leave: () => leave(holder),
      };
    },
  };
}

function largestOf(holders: ReadonlySet<Holder>): Holder | undefined {
  let largest: Holder | undefined;
  for (const holder of holders) if (largest === undefined || holder.bytes > largest.bytes) largest = holder;
  return largest;
}

const noRoom = (bytes: number, bytesMax: number): EngineError =>
  new EngineError('memory_short', `an answer of ${bytes} bytes and no end yet; all together may have ${bytesMax}`);
