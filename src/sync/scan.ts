/**
 * The server's whole UID set and all flags against the stored ones; heals whatever a recent pass could not see.
 * A row is believed to be gone only when two different commands do not list it, and together list as many as the server counts: a
 * row that the parser had to drop, or that a server left out, must not look like a deletion.
 */
import { createHash } from 'node:crypto';
import { toInstant } from '../base/clock.ts';
import {
  formatUidSet,
  hasUid,
  intersectUids,
  subtractUids,
  type UidSet,
  uidCount,
  uidSetOf,
  unionUids,
} from '../base/uid-set.ts';
import type { FlagRow } from '../imap/session.ts';
import { unlessRefused } from '../imap/unless-refused.ts';
import type { ListingRecord, QuarantineRow } from '../store/store.ts';
import { withoutPhantoms } from './beyond-next.ts';
import { type CompareInput, type Comparison, compareFolder } from './compare.ts';
import { type FolderPass, pendingCountOf } from './folder-pass.ts';
import { askInHalves } from './in-halves.ts';
import { holdsDeletions } from './plan.ts';
import { credibleUidNext, findReplaced } from './replaced.ts';

export interface ScanResult {
  readonly pending: UidSet;
  /** Live before the scan. */
  readonly liveUids: UidSet;
  /** Of these, what the server no longer lists. */
  readonly missingUids: UidSet;
  /** Tombstones that the server lists again. */
  readonly revivedUids: UidSet;
}

export async function scanFolder(pass: FolderPass): Promise<ScanResult> {
  const rows = await fetchAllFlags(pass);
  const quarantine = await pass.ports.store.quarantine(pass.folder.emfdid);
  const input = await compareInput(pass, rows, quarantine);
  const comparison = await withReplaced(pass, await withSecondLook(pass, input));
  const { uids } = comparison.input;
  pass.isInDoubt = !provesAbsence(pass, uids);
  pass.scannedUids = unionUids(pass.scannedUids, uids);
  await record(pass, comparison, quarantine);
  pass.owesRefetch = false;
  const { pending, liveUids, missingUids, revivedUids } = comparison.result;
  return { pending, liveUids, missingUids, revivedUids };
}

async function fetchAllFlags(pass: FolderPass): Promise<readonly FlagRow[]> {
  const { session } = pass;
  const rows = await unlessRefused(session.fetchFlags({ first: 1 }));
  if (rows !== undefined) return rows;
  const found = await session.searchUids({ first: 1 });
  // There are servers that refuse `1:*` where there is nothing.
  if (found.length === 0 && session.exists === 0) return [];
  const uids = unionUids(found, await liveUidsOf(pass));
  return askInHalves(uids, (some) => session.fetchFlags(some));
}

/** They are asked for, too: what SEARCH left out is not gone for that. */
async function liveUidsOf({ ports, folder, uidValidity }: FolderPass): Promise<UidSet> {
  const stored = await ports.store.storedMessages(folder.emfdid);
  return uidSetOf(stored.filter((row) => !row.isVanished && row.uidValidity === uidValidity).map(({ uid }) => uid));
}

async function compareInput(
  pass: FolderPass,
  rows: readonly FlagRow[],
  quarantine: readonly QuarantineRow[],
): Promise<CompareInput> {
  const stored = await pass.ports.store.storedMessages(pass.folder.emfdid);
  const uids = uidSetOf(rows.map((row) => row.uid));
  return {
    uidValidity: pass.uidValidity,
    stored,
    uids,
    rows,
    quarantined: notDue(quarantine, toInstant(pass.ports.clock())),
  };
}

const notDue = (quarantine: readonly QuarantineRow[], now: string): UidSet =>
  uidSetOf(quarantine.filter((row) => row.retryAt === null || row.retryAt > now).map((row) => row.uid));

interface Looked {
  readonly input: CompareInput;
  readonly result: Comparison;
}

/** Not needed when all are listed, or when VANISHED named those that are not: that was a second command. */
async function withSecondLook(pass: FolderPass, input: CompareInput): Promise<Looked> {
  const first = compareFolder(input);
  pass.owesFlags = false;
  const isConfirmed = subtractUids(first.missingUids, pass.opened.changes?.vanished ?? []).length === 0;
  if (isConfirmed && listsAsCounted(pass, input.uids)) return { input, result: first };
  const searched = await pass.session.searchUids({ first: 1 });
  const listed = unionUids(withoutPhantoms(pass, input.uids, searched), searched);
  const uids = listsAsCounted(pass, listed) ? listed : unionUids(listed, listedBefore(pass));
  return withAllFlags(pass, { ...input, uids }, input.uids);
}

/** The flags of stored messages that only the second look, or one before, has listed: `told` are those that came with their flags. */
async function withAllFlags(pass: FolderPass, input: CompareInput, told: UidSet): Promise<Looked> {
  const result = compareFolder(input);
  const kept = unionUids(result.liveUids, result.revivedUids);
  const silent = intersectUids(kept, subtractUids(input.uids, told));
  if (silent.length === 0) return { input, result };
  const rows = await flagsOrNone(pass, silent);
  pass.owesFlags = rows.length < uidCount(silent);
  const whole = { ...input, rows: [...input.rows, ...rows] };
  return { input: whole, result: compareFolder(whole) };
}

const flagsOrNone = async ({ session }: FolderPass, uids: UidSet): Promise<readonly FlagRow[]> =>
  (await unlessRefused(askInHalves(uids, (some) => session.fetchFlags(some)))) ?? [];

async function withReplaced(pass: FolderPass, { input, result }: Looked): Promise<Looked> {
  const replaced = await findReplaced(pass, input, result);
  if (replaced.length === 0) return { input, result };
  const { acntid, emfdid } = pass.folder;
  const count = uidCount(replaced);
  if (pass.owesRefetch) pass.ports.log.info(`fetching ${count} messages again, as told`, { acntid, emfdid });
  else pass.ports.log.warn(`${count} UIDs were given to other messages: they are fetched again`, { acntid, emfdid });
  return { input, result: compareFolder({ ...input, replaced }) };
}

const listsAsCounted = ({ session }: FolderPass, uids: UidSet): boolean => uidCount(uids) === session.exists;

/** A server that never counts what it lists is believed in the end, if all that it said could be read: what no scan listed is gone. */
const provesAbsence = (pass: FolderPass, uids: UidSet): boolean =>
  listsAsCounted(pass, uids) || (pass.isLastRound && pass.session.unreadCount === 0);

const listedBefore = ({ isLastRound, scannedUids }: FolderPass): UidSet => (isLastRound ? scannedUids : []);

async function record(
  pass: FolderPass,
  { input: { uids }, result: comparison }: Looked,
  quarantine: readonly QuarantineRow[],
): Promise<void> {
  const { folder, counts, isInDoubt } = pass;
  const deletions = isInDoubt ? noDeletions : await judgeDeletions(pass, uids, comparison);
  const unlisted = quarantine.map((row) => row.uid).filter((uid) => !hasUid(uids, uid));
  const forgottenQuarantine = isInDoubt ? [] : uidSetOf(unlisted);
  const listedUid = Math.max(comparison.listedUid, pass.listedUid);
  const listing: ListingRecord = {
    emfdid: folder.emfdid,
    uidValidity: pass.uidValidity,
    listedUid,
    pending: comparison.pending,
    flagChanges: comparison.flagChanges,
    reviveIds: comparison.reviveIds,
    ...deletions,
    forgottenQuarantine,
    highestModseq: pass.opened.highestModseq,
    at: toInstant(pass.ports.clock()),
  };
  if (saysSomething(pass, listing)) await pass.ports.store.recordListing(listing);
  // What is stored stays, so that a server that recovers need not send all again.
  pass.listedUid = Math.min(listedUid, credibleUidNext(pass, uids) - 1);
  counts.flagCount += listing.flagChanges.length;
  counts.vanishedCount += deletions.vanishedIds.length;
  counts.receivedCount += listing.reviveIds.length;
  counts.heldCount = deletions.held?.ids.length ?? 0;
}

/** A scan that found nothing writes nothing. */
function saysSomething(pass: FolderPass, listing: ListingRecord): boolean {
  const { folder } = pass;
  return (
    folder.uidValidity === null ||
    listing.pending.length > 0 ||
    pendingCountOf(folder) > 0 ||
    listing.listedUid !== pass.listedUid ||
    listing.flagChanges.length + listing.reviveIds.length + listing.vanishedIds.length > 0 ||
    listing.held !== null ||
    listing.forgottenQuarantine.length > 0
  );
}

type Deletions = Pick<ListingRecord, 'vanishedIds' | 'held'>;

const noDeletions: Deletions = { vanishedIds: [], held: null };

/** The deletion brake. Messages that live on elsewhere in the account moved, and do not count. */
async function judgeDeletions(pass: FolderPass, uids: UidSet, comparison: Comparison): Promise<Deletions> {
  const { folder, ports } = pass;
  const { missingIds } = comparison;
  if (missingIds.length === 0) return { vanishedIds: [], held: folder.heldCount > 0 ? noneHeld(pass) : null };
  const elsewhere = new Set(await ports.store.idsFoundElsewhere(folder.emfdid, missingIds));
  const lost = missingIds.filter((id) => !elsewhere.has(id));
  const digest = createHash('sha256')
    .update(`${pass.uidValidity}/${formatUidSet(uids)}`)
    .digest('hex');
  const isHeld = holdsDeletions({
    vanishedCount: lost.length,
    liveCount: comparison.liveCount,
    role: folder.role,
    digest,
    heldDigest: folder.heldDigest,
    heldSinceMs: folder.heldSince === null ? null : Date.parse(folder.heldSince),
    nowMs: ports.clock().getTime(),
  });
  if (!isHeld) return { vanishedIds: missingIds, held: folder.heldCount > 0 ? noneHeld(pass) : null };
  const since = folder.heldDigest === digest && folder.heldSince !== null ? folder.heldSince : toInstant(ports.clock());
  const isSame = folder.heldDigest === digest && folder.heldCount === lost.length;
  if (!isSame) warnHeld(pass, lost.length);
  return { vanishedIds: [...elsewhere], held: isSame ? null : { ids: lost, digest, since } };
}

const noneHeld = (pass: FolderPass): NonNullable<ListingRecord['held']> => ({
  ids: [],
  digest: '',
  since: toInstant(pass.ports.clock()),
});

function warnHeld(pass: FolderPass, count: number): void {
  const { acntid, emfdid } = pass.folder;
  pass.ports.log.warn(
    `${count} messages vanished at once and are held back: \`backproc folder approve-deletions ${emfdid}\` lets them go`,
    { acntid, emfdid },
  );
}
