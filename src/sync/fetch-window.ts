/**
 * Fetches the pending UIDs of a folder, window by window, and settles every one of them: stored, placed (its body is here
 * already), quarantined, or found gone by a second look. A UID that merely did not come is never taken for gone: servers
 * leave rows out of an OK answer (RFC 2180 4.1, and worse). A message that the server refuses is cornered by halving.
 */

import { throwIfAborted } from '../base/abort.ts';
import { toInstant } from '../base/clock.ts';
import { asEngineError, EngineError } from '../base/errors.ts';
import {
  highestUids,
  intersectUids,
  subtractUids,
  type UidSet,
  uidCount,
  uidSetOf,
  uidSetOfRanges,
  uidsAscending,
  unionUids,
} from '../base/uid-set.ts';
import type { BodyRow } from '../imap/session.ts';
import { unlessRefused } from '../imap/unless-refused.ts';
import type { QuarantinedMessage } from '../store/store.ts';
import { type BatchWriter, createBatchWriter } from './batch-writer.ts';
import { listUidsFrom } from './beyond-next.ts';
import { recordArrived } from './delta.ts';
import type { FolderPass } from './folder-pass.ts';
import { askInHalves } from './in-halves.ts';
import { halves, nextWindow } from './window.ts';

/** Bodies above this come alone and in parts; a batch plus one such body bounds the memory of a pass. */
export const bulkBytesMax = 8 * 1024 * 1024;
/** A message that could not be had or stored is tried again by itself after this long. */
export const quarantineRetryMs = 6 * 60 * 60 * 1000;

export async function fetchPending(pass: FolderPass, pending: UidSet): Promise<void> {
  const writer = createBatchWriter(pass);
  try {
    await fetchAll(pass, writer, await quarantinePoisoned(pass, writer, pending));
  } finally {
    // Also what came before the connection broke: it need not come again.
    await writer.flush();
  }
}

async function fetchAll(pass: FolderPass, writer: BatchWriter, pending: UidSet): Promise<void> {
  let rest = pending;
  let existsSeen = pass.session.exists;
  pass.pendingCount = uidCount(rest);
  for (let index = 0; rest.length > 0; index += 1) {
    throwIfAborted(pass.ports.signal);
    const window = nextWindow(rest, index, pass.windowCountMax);
    suspect(pass, window);
    await fetchWindow(pass, writer, window);
    pass.hunt.suspect = null;
    rest = subtractUids(rest, window);
    if (rest.length > 0 && cutsShort(pass)) return;
    if (rest.length === 0 || pass.session.exists === existsSeen) continue;
    existsSeen = pass.session.exists;
    rest = await addArrived(pass, writer, rest);
  }
}

/** What is left stays pending: the next pass goes on. */
function cutsShort(pass: FolderPass): boolean {
  if (!pass.slice.isOver()) return false;
  pass.slice.wasCut = true;
  pass.isCutShort = true;
  return true;
}

/** If the connection breaks now, it was this message, provided that the window holds no other. */
function suspect({ hunt }: FolderPass, window: UidSet): void {
  const [[first, last] = [0, 1]] = window;
  const uid = window.length === 1 && first === last ? first : null;
  if (hunt.suspect !== uid) hunt.breakCount = 0;
  hunt.suspect = uid;
}

/** Returns what is left to fetch. Not even their headers are asked for: that may break the connection too. */
async function quarantinePoisoned(pass: FolderPass, writer: BatchWriter, pending: UidSet): Promise<UidSet> {
  const { lastWords } = pass.hunt;
  const poisoned = intersectUids(pending, pass.hunt.poisoned);
  for (const uid of uidsAscending(poisoned))
    await park(pass, writer, { uid, raw: null, error: `${poisonText} (${lastWords})`, retryAt: retryAt(pass) });
  return subtractUids(pending, poisoned);
}

const poisonText = 'message_unfetchable: the connection broke again and again when it was asked for';

/** Mail that came meanwhile goes first. Flushed before it is recorded: what is listed and not pending counts as settled. */
async function addArrived(pass: FolderPass, writer: BatchWriter, rest: UidSet): Promise<UidSet> {
  await writer.flush();
  const arrived = await listUidsFrom(pass, pass.listedUid + 1);
  const pending = unionUids(rest, arrived);
  if (arrived.length > 0) await recordArrived(pass, pending, arrived);
  pass.pendingCount += uidCount(arrived);
  return pending;
}

async function fetchWindow(pass: FolderPass, writer: BatchWriter, window: UidSet): Promise<void> {
  const placed = await placeKnownContents(pass, writer, window);
  const wanted = subtractUids(window, placed);
  const oversized = intersectUids(wanted, pass.hunt.oversized);
  const ask = (uids: UidSet) => pass.session.listLarger(uids, aloneAbove(pass));
  const listed = (await unlessRefused(askInHalves(subtractUids(wanted, oversized), ask))) ?? [];
  const large = unionUids(uidSetOfRanges(listed), oversized);
  await fetchBulk(pass, writer, subtractUids(wanted, large));
  for (const uid of uidsAscending(large)) await fetchLarge(pass, writer, uid);
}

/** What is above the limit is refused by its size, whichever of the two is lower. */
const aloneAbove = ({ ports }: FolderPass): number => Math.min(bulkBytesMax, ports.limits.messageBytesMax);

/** EMAILID / X-GM-MSGID: what this account has already, under any folder, is placed and not fetched again; unless it is to be. */
async function placeKnownContents(pass: FolderPass, writer: BatchWriter, window: UidSet): Promise<UidSet> {
  const { hasObjectId, isGmail } = pass.session.capabilities;
  if ((!hasObjectId && !isGmail) || pass.kind === 'refetch') return [];
  const ask = (uids: UidSet) => pass.session.fetchMetadata(uids, { withMessageId: false });
  const rows = (await unlessRefused(askInHalves(window, ask))) ?? [];
  const ids = rows.flatMap((row) => row.emailId ?? []);
  const known = await pass.ports.store.contentsByEmailId(pass.folder.acntid, ids);
  const placed: number[] = [];
  for (const { uid, flags, internalDate, size, modseq, emailId } of rows) {
    const content = emailId === null ? undefined : known.get(emailId);
    // Of another size it is not the same message, whatever the server calls it.
    if (content?.size !== size) continue;
    placed.push(uid);
    await writer.addPlacement({ uid, flags, internalDate, size, modseq, emailId, contentId: content.contentId });
  }
  return uidSetOf(placed);
}

async function fetchBulk(pass: FolderPass, writer: BatchWriter, uids: UidSet): Promise<void> {
  if (uids.length === 0) return;
  const got: number[] = [];
  const take = (row: BodyRow): Promise<void> | undefined => {
    pass.throwIfWriteFailed();
    got.push(row.uid);
    pass.refusedInRow = 0;
    return writer.addBody(row);
  };
  const refusal = await refusalOf(() => pass.session.fetchBodies(uids, take));
  await settleRest(pass, writer, subtractUids(uids, uidSetOf(got)), refusal);
}

/** A refused command (scope folder) is a fact to work with; anything wider ends the pass. */
async function refusalOf(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    const failure = asEngineError(error);
    if (failure.code !== 'command_refused') throw failure;
    return failure.detail;
  }
}

/** What did not come: gone after a second look, or there after all; then it is asked for again, in halves, down to one. */
async function settleRest(
  pass: FolderPass,
  writer: BatchWriter,
  missing: UidSet,
  refusal: string | null,
): Promise<void> {
  if (missing.length === 0) return;
  const { unreadCount } = pass.session;
  const present = await pass.session.searchUids(missing);
  // What could not be read may have named them: they stay pending.
  if (pass.session.unreadCount === unreadCount) writer.settle(subtractUids(missing, present));
  const stillThere = intersectUids(missing, present);
  const count = uidCount(stillThere);
  if (count === 0) return;
  const [only] = uidsAscending(stillThere);
  if (count === 1 && only !== undefined) return fetchAlone(pass, writer, only, refusal);
  for (const half of halves(stillThere, count)) await fetchBulk(pass, writer, half);
}

/**
 * The last try for one message: in parts, which is another command and another parser. Then it is quarantined, with its headers
 * if at least those can be had.
 */
async function fetchAlone(pass: FolderPass, writer: BatchWriter, uid: number, refusal: string | null): Promise<void> {
  const isFetched = await fetchInParts(pass, writer, uid);
  if (isFetched) return;
  await countRefusal(pass, uid, refusal);
  const error = refusal ?? 'the server left the message out of its answer';
  await quarantine(pass, writer, uid, `message_unfetchable: ${error}`, true);
}

/** So many in a row are not the messages' fault: the folder is left alone for a while, lest all of it goes to quarantine. */
const refusedInRowMax = 20;

async function countRefusal(pass: FolderPass, uid: number, refusal: string | null): Promise<void> {
  pass.refusedInRow += 1;
  if (pass.refusedInRow > refusedInRowMax)
    throw new EngineError('command_refused', `${refusedInRowMax} messages in a row: ${refusal ?? 'left out'}`);
  if (refusal !== null && pass.refusedInRow === 1 && !(await answersForOthers(pass, uid)))
    throw new EngineError('command_refused', refusal);
}

/** So many others are asked about. */
const othersCountMax = 16;

/** A server that refuses to FETCH anything is asked again soon, and no message parked for it. */
async function answersForOthers({ session }: FolderPass, uid: number): Promise<boolean> {
  const others = subtractUids(await session.searchUids({ first: 1 }), [[uid, uid]]);
  const some = highestUids(others, othersCountMax);
  return (await unlessRefused(askInHalves(some, (uids) => session.fetchFlags(uids)))) !== undefined;
}

async function fetchLarge(pass: FolderPass, writer: BatchWriter, uid: number): Promise<void> {
  const isFetched = await fetchInParts(pass, writer, uid);
  if (!isFetched) await settleRest(pass, writer, [[uid, uid]], null);
}

/** True: stored, or quarantined for a reason of its own. Such a body may be as large as a batch is allowed many times over. */
async function fetchInParts(pass: FolderPass, writer: BatchWriter, uid: number): Promise<boolean> {
  await writer.flush();
  try {
    const row = await pass.session.fetchLargeBody(uid, pass.ports.limits.messageBytesMax);
    if (row === undefined) return false;
    pass.refusedInRow = 0;
    await writer.addBody(row);
  } catch (error) {
    const failure = asEngineError(error);
    if (failure.code !== 'message_too_large' && failure.code !== 'command_refused') throw failure;
    const isRefused = failure.code === 'command_refused';
    if (isRefused) await countRefusal(pass, uid, failure.detail);
    const reason = `${isRefused ? 'message_unfetchable' : failure.code}: ${failure.detail}`;
    await quarantine(pass, writer, uid, reason, isRefused);
  }
  await writer.flush();
  return true;
}

async function quarantine(
  pass: FolderPass,
  writer: BatchWriter,
  uid: number,
  error: string,
  triesAgain: boolean,
): Promise<void> {
  let raw: Buffer | null = null;
  await refusalOf(async () => {
    raw = (await pass.session.fetchHeader(uid)) ?? null;
  });
  await park(pass, writer, { uid, raw, error, retryAt: triesAgain ? retryAt(pass) : null });
}

const retryAt = ({ ports }: FolderPass): string => toInstant(new Date(ports.clock().getTime() + quarantineRetryMs));

async function park({ folder, ports }: FolderPass, writer: BatchWriter, message: QuarantinedMessage): Promise<void> {
  await writer.addQuarantined(message);
  ports.log.warn(`message ${message.uid} quarantined: ${message.error}`, {
    acntid: folder.acntid,
    emfdid: folder.emfdid,
  });
}
