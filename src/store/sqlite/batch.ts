/**
 * Stores one batch of a window: contents, placements, quarantine, and the checkpoint that vouches for them, in one
 * transaction. A message that cannot be stored goes to quarantine with its bytes and does not stop the others; a full disk
 * or a busy database is nobody's fault among them and is thrown.
 */
import { type Instant, toInstant } from '../../base/clock.ts';
import { formatUidSet, hasUid, parseUidSet, uidSetOf, unionUids } from '../../base/uid-set.ts';
import type { BatchResult, IncomingMessage, QuarantinedMessage, WindowBatch } from '../store.ts';
import { noteChange } from './changes.ts';
import type { Connection } from './connection.ts';
import { storeContent } from './contents.ts';
import { isRowFailure } from './failure.ts';
import { type FolderRow, requireFolderAt } from './folder-row.ts';
import { linkSentCopies } from './outbox-link.ts';
import { type Placed, placeMessage, type Target } from './place-message.ts';
import { forgetQuarantine, putInQuarantine } from './quarantine.ts';
import { savepoint } from './savepoint.ts';
import { refreshHeld } from './tombstones.ts';
import { addTraffic } from './traffic.ts';

export function storeBatch(c: Connection, batch: WindowBatch): BatchResult {
  const folder = requireFolderAt(c, batch);
  const { uidValidity, at, isFirstSync } = batch;
  const target = { folder, uidValidity, at, isFirstSync, hasOrphans: hasOrphans(c, batch) };
  const stored = storeRows(c, target, batch);
  quarantineAll(c, batch, [...batch.quarantined, ...stored.quarantined]);
  settle(c, folder, batch);
  linkSentCopies(c, folder, batch);
  if (batch.day !== null) addTraffic(c, folder.acntid, batch.day, bytesOf(batch));
  const place = { acntid: folder.acntid, emfdid: folder.emfdid, at };
  if (stored.hasAdopted) noteChange(c, 'folder_reset', place);
  if (isFirstSync && stored.count > 0) noteChange(c, 'messages_added', place);
  refreshHeld(c, folder.emfdid);
  return { storedCount: stored.count, quarantinedUids: stored.quarantined.map(({ uid }) => uid) };
}

const bytesOf = ({ messages }: WindowBatch): number => messages.reduce((sum, { raw }) => sum + raw.length, 0);

interface Stored {
  readonly count: number;
  readonly hasAdopted: boolean;
  readonly quarantined: readonly QuarantinedMessage[];
}

const storedOf = (placed: readonly Placed[], quarantined: readonly QuarantinedMessage[] = []): Stored => ({
  count: placed.filter(({ isStored }) => isStored).length,
  hasAdopted: placed.some(({ isAdopted }) => isAdopted),
  quarantined,
});

/** What refuses a message is most often a trigger of an application's; once that is mended, its mail must come by itself. */
const unstorableRetryMs = 6 * 60 * 60 * 1000;

/** All at once; only when that fails, one by one under a savepoint each, to find the message that did it. */
function storeRows(c: Connection, target: Target, batch: WindowBatch): Stored {
  const works = worksOf(c, target, batch);
  try {
    return savepoint(c, 'batch', () => storedOf(works.map(({ store }) => store())));
  } catch (error) {
    if (!isRowFailure(error)) throw error;
    return storeOneByOne(c, works, toInstant(new Date(Date.parse(target.at) + unstorableRetryMs)));
  }
}

interface Work {
  readonly uid: number;
  readonly raw: Uint8Array | null;
  readonly store: () => Placed;
}

function worksOf(c: Connection, target: Target, batch: WindowBatch): Work[] {
  const work = (message: IncomingMessage): Work => ({
    uid: message.uid,
    raw: message.raw,
    store: () => placeMessage(c, target, message, storeContent(c, message)),
  });
  const placements = batch.placements.map((placement) => ({
    uid: placement.uid,
    raw: null,
    store: () => placeMessage(c, target, placement, placement.contentId),
  }));
  return [...batch.messages.map(work), ...placements];
}

function storeOneByOne(c: Connection, works: readonly Work[], retryAt: Instant): Stored {
  const placed: Placed[] = [];
  const quarantined: QuarantinedMessage[] = [];
  for (const { uid, raw, store } of works) {
    try {
      placed.push(savepoint(c, 'message', store));
    } catch (error) {
      if (!isRowFailure(error)) throw error;
      quarantined.push({ uid, raw, error: `message_unstorable: ${reasonOf(error)}`, retryAt });
    }
  }
  return storedOf(placed, quarantined);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A UID that has a live row is stored; a later failure to fetch it again is no reason to count it twice. */
function quarantineAll(c: Connection, batch: WindowBatch, messages: readonly QuarantinedMessage[]): void {
  const failed = uidSetOf(messages.map(({ uid }) => uid));
  const uids = [...batch.messages, ...batch.placements].map(({ uid }) => uid).filter((uid) => !hasUid(failed, uid));
  forgetQuarantine(c, batch.emfdid, batch.uidValidity, uidSetOf(uids));
  const live = 'SELECT 1 FROM email_messages WHERE emfdid = ? AND uidvalidity = ? AND uid = ? AND vanished_at IS NULL';
  for (const message of messages) {
    if (!c.get(live, batch.emfdid, batch.uidValidity, message.uid)) putInQuarantine(c, batch, message);
  }
}

function settle(c: Connection, folder: FolderRow, batch: WindowBatch): void {
  const checkpoint = formatUidSet(unionUids(parseUidSet(folder.checkpoint), batch.settled));
  if (checkpoint === folder.checkpoint) return;
  c.run('UPDATE email_folders SET checkpoint = ? WHERE emfdid = ?', checkpoint, folder.emfdid);
}

function hasOrphans(c: Connection, batch: WindowBatch): boolean {
  return ['<', '>'].some((side) => {
    const sql = `SELECT 1 FROM email_messages WHERE emfdid = ? AND uidvalidity ${side} ? AND vanished_at IS NULL LIMIT 1`;
    return c.get(sql, batch.emfdid, batch.uidValidity) !== undefined;
  });
}
