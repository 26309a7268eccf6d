/** A recent pass: new UIDs above the highest listed, changed flags by CHANGEDSINCE or QRESYNC, deletions by trusted VANISHED. */
import { toInstant } from '../base/clock.ts';
import { highestUid, subtractUids, type UidSet, uidSetOf, unionUids } from '../base/uid-set.ts';
import type { FlagRow } from '../imap/session.ts';
import { unlessRefused } from '../imap/unless-refused.ts';
import { listUidsFrom } from './beyond-next.ts';
import { type FolderPass, pendingUids } from './folder-pass.ts';

/** Returns everything that is to be fetched: what an earlier pass left, what is new, and quarantined mail that is due again. */
export async function applyDelta(pass: FolderPass, flagsSince: bigint | null): Promise<UidSet> {
  const told = await applyFlags(pass, flagsSince);
  const arrived = unionUids(await listArrived(pass), arrivedAmong(pass, told));
  const left = unionUids(pendingUids(pass.folder), await dueAgain(pass));
  const pending = unionUids(left, arrived);
  if (arrived.length > 0) await recordArrived(pass, pending, arrived);
  return pending;
}

async function applyFlags(pass: FolderPass, flagsSince: bigint | null): Promise<readonly FlagRow[]> {
  const told = toldOnOpening(pass);
  const rows = told ?? (flagsSince === null ? [] : await flagsChanged(pass, flagsSince));
  if (rows.length > 0) await storeFlags(pass, rows);
  return rows;
}

/** A refusal keeps no mail back: the next pass asks again, and a scan needs no MODSEQ. */
async function flagsChanged(pass: FolderPass, since: bigint): Promise<readonly FlagRow[]> {
  const rows = await unlessRefused(pass.session.fetchFlags({ first: 1 }, since));
  if (rows !== undefined) return rows;
  pass.owesFlags = true;
  const { acntid, emfdid } = pass.folder;
  pass.ports.log.warn('the server refuses to tell which flags changed: a full pass compares them all', {
    acntid,
    emfdid,
  });
  return [];
}

/**
 * What is new has a MODSEQ above, too: a listing that leaves one out is not the only command to tell of it. Were as many deleted, the
 * counts would agree. What is not below UIDNEXT may be no UID of this folder.
 */
function arrivedAmong({ opened, listedUid }: FolderPass, rows: readonly FlagRow[]): UidSet {
  const uids = rows.map(({ uid }) => uid);
  return uidSetOf(uids.filter((uid) => uid > listedUid && uid < (opened.uidNext ?? 0)));
}

/** Null: nothing at all, as of a server that announces QRESYNC and does not keep it: the flags must be asked for. */
function toldOnOpening({ opened: { changes } }: FolderPass): readonly FlagRow[] | null {
  return changes === null || changes.flags.length + changes.vanished.length === 0 ? null : changes.flags;
}

async function storeFlags(pass: FolderPass, rows: readonly FlagRow[]): Promise<void> {
  const { ports, folder, uidValidity, counts } = pass;
  counts.flagCount += await ports.store.applyFlags({
    emfdid: folder.emfdid,
    uidValidity,
    changes: rows,
    at: toInstant(ports.clock()),
  });
}

/** UIDNEXT is only a hint, but when it has not moved since a finished pass there is nothing above. */
async function listArrived(pass: FolderPass): Promise<UidSet> {
  const { opened, folder } = pass;
  if (opened.uidNext !== null && opened.uidNext === folder.uidNext) return [];
  const listed = await listUidsFrom(pass, pass.listedUid + 1);
  const left = opened.highestModseq === null ? leftOut(pass, listed) : [];
  return left.length === 0 ? listed : unionUids(listed, await pass.session.searchUids(left));
}

/** Below UIDNEXT and not listed: gone already, or left out. Without MODSEQ only another command can tell. */
const leftOut = ({ opened, listedUid }: FolderPass, listed: UidSet): UidSet =>
  opened.uidNext !== null && opened.uidNext > listedUid + 1
    ? subtractUids([[listedUid + 1, opened.uidNext - 1]], listed)
    : [];

async function dueAgain(pass: FolderPass): Promise<UidSet> {
  const now = toInstant(pass.ports.clock());
  const rows = await pass.ports.store.quarantine(pass.folder.emfdid);
  return uidSetOf(rows.filter((row) => row.retryAt !== null && row.retryAt <= now).map((row) => row.uid));
}

/** `pending` must hold all that is not committed yet: what it leaves out below the listed UID counts as settled. */
export async function recordArrived(pass: FolderPass, pending: UidSet, arrived: UidSet): Promise<void> {
  const { ports, folder, uidValidity } = pass;
  const listedUid = Math.max(pass.listedUid, highestUid(arrived));
  await ports.store.recordListing({
    emfdid: folder.emfdid,
    uidValidity,
    listedUid,
    pending,
    flagChanges: [],
    reviveIds: [],
    vanishedIds: [],
    held: null,
    forgottenQuarantine: [],
    highestModseq: pass.opened.highestModseq,
    at: toInstant(ports.clock()),
  });
  pass.listedUid = listedUid;
}
