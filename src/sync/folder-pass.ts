/** One folder's pass in progress: what it works on, what it counted so far, and the verbs that need both. */
import { EngineError } from '../base/errors.ts';
import { subtractUids, type UidSet, uidCount } from '../base/uid-set.ts';
import type { FolderStatus, ImapSession, OpenedFolder } from '../imap/session.ts';
import type { Account, Folder } from '../store/store.ts';
import type { FolderReport, Ports } from './pass.ts';
import type { PassKind } from './plan.ts';
import type { Slice } from './slice.ts';

export interface FolderTask {
  readonly account: Account;
  readonly folder: Folder;
  readonly kind: PassKind;
  /** What LIST-STATUS said, if it did. */
  readonly status: FolderStatus | null;
  /** Lowered by the caller after a window broke the connection, to corner the message that did it. */
  readonly windowCountMax: number;
  readonly hunt: PoisonHunt;
  readonly slice: Slice;
}

/** The search for the one message that breaks the connection whenever it is asked for. Lives as long as a folder's visit. */
export interface PoisonHunt {
  /** The only UID of the window under way, when windows are one message wide. */
  suspect: number | null;
  /** How often in a row the suspect broke the connection. */
  breakCount: number;
  /** UIDs larger than the server had said: they are asked for in parts. */
  oversized: UidSet;
  /** UIDs that are not asked for again: they go to quarantine. */
  poisoned: UidSet;
  /** How the connection broke the last time, in the server's words where it had any. */
  lastWords: string;
}

type Counts = Omit<{ -readonly [K in keyof FolderReport]: FolderReport[K] }, 'emfdid' | 'path' | 'error'>;

export interface FolderPass extends FolderTask {
  readonly ports: Ports;
  readonly session: ImapSession;
  readonly opened: OpenedFolder;
  readonly uidValidity: number;
  readonly isFirstSync: boolean;
  readonly counts: Counts;
  /** Highest UID listed and recorded so far. */
  listedUid: number;
  /** The answer of QRESYNC was compared with a full listing in this pass. */
  isVanishedJudged: boolean;
  /** The server is not asked again in this pass. */
  isLastRound: boolean;
  /** What the scans so far have listed. */
  scannedUids: UidSet;
  /** The last scan was told of messages whose flags did not come. */
  owesFlags: boolean;
  /** What the last scan did not list may be there all the same. */
  isInDoubt: boolean;
  /** What is stored is to be fetched again, all of it: true until it is recorded as pending. */
  owesRefetch: boolean;
  /** The slice was over before everything was fetched: this pass does not end the folder's sync. */
  isCutShort: boolean;
  /** Messages that were refused since the last one that came. */
  refusedInRow: number;
  /** For the progress display. */
  pendingCount: number;
  noteStored(storedCount: number, bytes: number, quarantinedCount: number, settledCount: number): void;
  noteWriteFailure(): void;
  /** A batch could not be written: fetching on would be in vain. */
  throwIfWriteFailed(): void;
}

export function createFolderPass(
  ports: Ports,
  session: ImapSession,
  task: FolderTask,
  opened: OpenedFolder,
): FolderPass {
  const { folder } = task;
  const counts: Counts = {
    receivedCount: 0,
    receivedBytes: 0,
    flagCount: 0,
    vanishedCount: 0,
    quarantinedCount: 0,
    heldCount: 0,
  };
  let hasWriteFailed = false;
  return {
    ...task,
    ports,
    session,
    opened,
    uidValidity: opened.uidValidity,
    isFirstSync: folder.firstSyncedAt === null,
    counts,
    listedUid: folder.uidValidity === opened.uidValidity ? folder.listedUid : 0,
    isVanishedJudged: false,
    isLastRound: false,
    scannedUids: [],
    owesFlags: false,
    isInDoubt: false,
    owesRefetch: task.kind === 'refetch' && folder.uidValidity !== null,
    isCutShort: false,
    pendingCount: 0,
    refusedInRow: 0,
    noteStored(storedCount, bytes, quarantinedCount, settledCount) {
      task.slice.spend(bytes);
      counts.receivedCount += storedCount;
      counts.receivedBytes += bytes;
      counts.quarantinedCount += quarantinedCount;
      this.pendingCount = Math.max(0, this.pendingCount - settledCount);
      const { acntid, emfdid, path } = folder;
      const { receivedCount, receivedBytes } = counts;
      ports.onProgress({ acntid, emfdid, path, receivedCount, receivedBytes, pendingCount: this.pendingCount });
    },
    noteWriteFailure() {
      hasWriteFailed = true;
    },
    throwIfWriteFailed() {
      if (hasWriteFailed) throw new EngineError('store_io', `folder ${folder.emfdid}`);
    },
  };
}

/** Listed, and not settled yet: what an interrupted pass left over. */
export function pendingUids(folder: Folder): UidSet {
  return folder.listedUid === 0 ? [] : subtractUids([[1, folder.listedUid]], folder.checkpoint);
}

export const pendingCountOf = (folder: Folder): number => uidCount(pendingUids(folder));
