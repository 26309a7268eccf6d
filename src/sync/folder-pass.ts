/** One folder's pass in progress: what it works on and what it counted so far. */
import { EngineError } from '../base/errors.ts';
import type { ImapSession } from '../imap/session.ts';
import type { Folder } from '../store/store.ts';
import type { FolderReport, Ports } from './pass.ts';
import type { PassKind } from './plan.ts';

export interface FolderCounts {
  receivedCount: number;
  receivedBytes: number;
  flagCount: number;
  vanishedCount: number;
  quarantinedCount: number;
  heldCount: number;
}

export interface FolderPass {
  readonly ports: Ports;
  readonly session: ImapSession;
  readonly folder: Folder;
  readonly uidValidity: number;
  readonly kind: PassKind;
  readonly isFirstSync: boolean;
  /** Lowered by the caller after a window broke the connection, to corner the message that did it. */
  readonly windowCountMax: number;
  readonly counts: FolderCounts;
  /** UIDs still to come, for the progress display. */
  pendingCount: number;
  noteStored(storedCount: number, bytes: number, quarantinedCount: number, settledCount: number): void;
  noteWriteFailure(): void;
  /** A batch could not be written: fetching on would be in vain. */
  throwIfWriteFailed(): void;
}

interface FolderPassInput {
  readonly ports: Ports;
  readonly session: ImapSession;
  readonly folder: Folder;
  readonly uidValidity: number;
  readonly kind: PassKind;
  readonly windowCountMax: number;
}

export function createFolderPass(input: FolderPassInput): FolderPass {
  const { ports, folder } = input;
  const counts: FolderCounts = { receivedCount: 0, receivedBytes: 0, flagCount: 0, vanishedCount: 0, quarantinedCount: 0, heldCount: 0 };
  let hasWriteFailed = false;
  return {
    ...input,
    isFirstSync: folder.firstSyncedAt === null,
    counts,
    pendingCount: 0,
    noteStored(storedCount, bytes, quarantinedCount, settledCount) {
      counts.receivedCount += storedCount;
      counts.receivedBytes += bytes;
      counts.quarantinedCount += quarantinedCount;
      this.pendingCount = Math.max(0, this.pendingCount - settledCount);
      ports.onProgress({
        acntid: folder.acntid,
        emfdid: folder.emfdid,
        path: folder.path,
        receivedCount: counts.receivedCount,
        receivedBytes: counts.receivedBytes,
        pendingCount: this.pendingCount,
      });
    },
    noteWriteFailure() {
      hasWriteFailed = true;
    },
    throwIfWriteFailed() {
      if (hasWriteFailed) throw new EngineError('store_io', `folder ${folder.emfdid}`);
    },
  };
}

export function reportOf(pass: FolderPass): FolderReport {
  const { emfdid, path } = pass.folder;
  return { emfdid, path, ...pass.counts, error: null };
}
