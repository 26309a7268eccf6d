/**
 * Collects the rows of a window into batches and writes them while the window still arrives: one batch is filled, at most
 * one is on its way into the store, so memory stays bounded. The checkpoint moves inside storeBatch, in the transaction
 * that stores what it vouches for; a crash at any line here repeats at most two batches.
 */
import { hash } from 'node:crypto';
import { toInstant } from '../base/clock.ts';
import { type UidSet, uidSetOf, unionUids } from '../base/uid-set.ts';
import type { BodyRow } from '../imap/session.ts';
import { readHeaderFields } from '../mime/header-fields.ts';
import type { IncomingMessage, Placement, QuarantinedMessage } from '../store/store.ts';
import type { FolderPass } from './folder-pass.ts';
import { isBatchFull } from './window.ts';

export interface BatchWriter {
  /** A promise only where the writer must be waited for: most rows cost none. */
  addBody(row: BodyRow): Promise<void> | undefined;
  addPlacement(placement: Placement & { readonly contentId: number }): Promise<void> | undefined;
  addQuarantined(message: QuarantinedMessage): Promise<void> | undefined;
  /** UIDs found gone: they need nothing more. */
  settle(uids: UidSet): void;
  /** Everything handed in so far is committed when this resolves. */
  flush(): Promise<void>;
}

interface Batch {
  messages: IncomingMessage[];
  placements: (Placement & { readonly contentId: number })[];
  quarantined: QuarantinedMessage[];
  gone: UidSet;
  bytes: number;
}

const emptyBatch = (): Batch => ({ messages: [], placements: [], quarantined: [], gone: [], bytes: 0 });

export function createBatchWriter(pass: FolderPass): BatchWriter {
  let batch = emptyBatch();
  let writing: Promise<void> = Promise.resolve();

  /** Waits for the batch before, then sends this one without waiting for it. */
  const send = async (): Promise<void> => {
    const full = batch;
    batch = emptyBatch();
    await writing;
    if (sizeOf(full) === 0 && full.gone.length === 0) return;
    writing = writeBatch(pass, full);
    // Awaited by the next send or flush; without a handler of its own a failure in between would end the process.
    writing.catch(() => pass.noteWriteFailure());
  };
  const sendIfFull = (): Promise<void> | undefined => (isBatchFull(sizeOf(batch), batch.bytes) ? send() : undefined);

  return {
    addBody(row) {
      batch.messages.push(toIncoming(row));
      batch.bytes += row.raw.length;
      return sendIfFull();
    },
    addPlacement(placement) {
      batch.placements.push(placement);
      return sendIfFull();
    },
    addQuarantined(message) {
      batch.quarantined.push(message);
      batch.bytes += message.raw?.length ?? 0;
      return sendIfFull();
    },
    settle(uids) {
      batch.gone = unionUids(batch.gone, uids);
    },
    async flush() {
      await send();
      await writing;
    },
  };
}

const sizeOf = (batch: Batch): number => batch.messages.length + batch.placements.length + batch.quarantined.length;

function toIncoming(row: BodyRow): IncomingMessage {
  const { uid, flags, internalDate, size, modseq, emailId, raw } = row;
  const sha256 = hash('sha256', raw, 'hex');
  return { uid, flags, internalDate, size, modseq, emailId, sha256, raw, headers: readHeaderFields(raw) };
}

async function writeBatch(pass: FolderPass, batch: Batch): Promise<void> {
  const uids = [...batch.messages, ...batch.placements, ...batch.quarantined].map((message) => message.uid);
  const result = await pass.ports.store.storeBatch({
    emfdid: pass.folder.emfdid,
    uidValidity: pass.uidValidity,
    messages: batch.messages,
    placements: batch.placements,
    quarantined: batch.quarantined,
    settled: unionUids(uidSetOf(uids), batch.gone),
    day: pass.slice.day,
    isFirstSync: pass.isFirstSync,
    at: toInstant(pass.ports.clock()),
  });
  pass.noteStored(
    result.storedCount,
    batch.bytes,
    batch.quarantined.length + result.quarantinedUids.length,
    uids.length,
  );
}
