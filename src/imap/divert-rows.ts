/**
 * For as long as a bulk FETCH is under way, its rows are taken out of the library's stream by a reader of our own
 * (fetch-reader.ts); what that can't tell, and all else that comes meanwhile, is the library's to read.
 */
import type { ImapFlow } from 'imapflow';
import type { EngineError } from '../base/errors.ts';
import type { AnswerRoom } from './answer-room.ts';
import { divertStream } from './corrections.ts';
import type { FetchItems } from './fetch-items.ts';
import { createFetchReader, type FetchReaderLimits } from './fetch-reader.ts';
import type { Stopwatch } from './stopwatch.ts';

export interface RowBounds extends FetchReaderLimits {
  readonly room: AnswerRoom | null;
  /** So many rows more could not be read. */
  readonly noteUnread: (rowCount: number) => void;
}

export interface Diverted {
  readonly bounds: RowBounds;
  readonly stopwatch: Pick<Stopwatch, 'pause' | 'resume'> | null;
  /** Commands under way: rows are taken until so many were answered. */
  readonly commandCount: number;
  /** See FetchReader. */
  readonly onClosed?: () => void;
}

export interface Diversion {
  /** False: an answer was under way, so that the library reads the rows. */
  readonly isOn: boolean;
  /** What our own side failed with; the connection was closed for it. */
  throwIfFailed(): void;
  end(): void;
}

/** The clock stands still while our own work on a chunk is awaited: only the server can be late. */
export function divertRows(
  client: ImapFlow,
  { bounds, stopwatch, commandCount, onClosed }: Diverted,
  onItems: (items: FetchItems) => Promise<void> | void,
): Diversion {
  let failure: { readonly error: unknown } | null = null;
  const reader = createFetchReader(bounds, onItems, commandCount, onClosed);
  const fail = (error: unknown): void => {
    failure ??= { error };
    client.close();
  };
  const held = bounds.room?.enter((reason: EngineError) => fail(reason));
  const end = divertStream(client, async (chunk) => {
    stopwatch?.pause(chunk.length);
    try {
      const rest = await reader.take(chunk);
      held?.hold(reader.heldBytes());
      return rest;
    } catch (error) {
      fail(error);
      return [];
    } finally {
      stopwatch?.resume();
    }
  });
  return {
    isOn: end !== null,
    throwIfFailed() {
      if (failure !== null) throw failure.error;
    },
    end() {
      held?.leave();
      bounds.noteUnread(reader.unreadCount());
      end?.();
    },
  };
}
