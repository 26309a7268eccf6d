/**
 * The whole UID set and every flag of a folder against what is stored. Pure. Its result is what one listing transaction
 * writes (ListingRecord) and what is left to fetch.
 */
import { highestUid, subtractUids, type UidSet, uidSetOf } from '../base/uid-set.ts';
import type { FlagRow } from '../imap/session.ts';
import type { FlagChange, StoredMessage } from '../store/store.ts';

export interface Comparison {
  readonly pending: UidSet;
  readonly listedUid: number;
  readonly flagChanges: readonly FlagChange[];
  readonly reviveIds: readonly number[];
  /** Live rows the server does not list. */
  readonly missingIds: readonly number[];
  readonly missingUids: UidSet;
  readonly liveUids: UidSet;
  readonly revivedUids: UidSet;
  readonly liveCount: number;
}

export interface CompareInput {
  readonly uidValidity: number;
  readonly stored: readonly StoredMessage[];
  /** Every UID the server has; flags may be missing for some. */
  readonly uids: UidSet;
  readonly rows: readonly FlagRow[];
  /** Quarantined UIDs that are not due for another try. */
  readonly quarantined: UidSet;
}

export function compareFolder(input: CompareInput): Comparison {
  const present = new Set<number>();
  for (const [first, last] of input.uids) for (let uid = first; uid <= last; uid += 1) present.add(uid);
  const ours = input.stored.filter((row) => row.uidValidity === input.uidValidity);
  const live = ours.filter((row) => !row.isVanished);
  const liveUids = new Set(live.map((row) => row.uid));
  const revived = latestTombstones(ours).filter((row) => present.has(row.uid) && !liveUids.has(row.uid));
  const missing = live.filter((row) => !present.has(row.uid));
  const known = uidSetOf([...liveUids, ...revived.map((row) => row.uid)]);
  return {
    pending: subtractUids(subtractUids(input.uids, known), input.quarantined),
    listedUid: highestUid(input.uids),
    flagChanges: changedFlags([...live, ...revived], input.rows),
    reviveIds: revived.map((row) => row.id),
    missingIds: missing.map((row) => row.id),
    missingUids: uidSetOf(missing.map((row) => row.uid)),
    liveUids: uidSetOf(liveUids),
    revivedUids: uidSetOf(revived.map((row) => row.uid)),
    liveCount: live.length,
  };
}

/** One tombstone a UID, the newest. */
function latestTombstones(rows: readonly StoredMessage[]): StoredMessage[] {
  const byUid = new Map<number, StoredMessage>();
  for (const row of rows) if (row.isVanished && (byUid.get(row.uid)?.id ?? 0) < row.id) byUid.set(row.uid, row);
  return [...byUid.values()];
}

export function changedFlags(stored: readonly StoredMessage[], rows: readonly FlagRow[]): FlagChange[] {
  const observed = new Map(rows.map((row) => [row.uid, row]));
  return stored.flatMap(({ uid, flags }) => {
    const row = observed.get(uid);
    return row && row.flags !== flags ? [{ uid, flags: row.flags, modseq: row.modseq }] : [];
  });
}
