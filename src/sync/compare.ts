/**
 * The whole UID set and every flag of a folder against what is stored. Pure. Its result is what one listing transaction
 * writes (ListingRecord) and what is left to fetch.
 */
import { hasUid, highestUid, subtractUids, type UidSet, uidSetOf, unionUids } from '../base/uid-set.ts';
import type { FlagRow } from '../imap/session.ts';
import type { FlagChange, StoredMessage } from '../store/store.ts';

export interface Comparison {
  readonly pending: UidSet;
  readonly listedUid: number;
  readonly flagChanges: readonly FlagChange[];
  readonly reviveIds: readonly number[];
  /** Live rows the server does not list, those of a former UIDVALIDITY included once nothing is pending that may be one of them. */
  readonly missingIds: readonly number[];
  readonly missingUids: UidSet;
  readonly liveUids: UidSet;
  readonly revivedUids: UidSet;
  readonly liveCount: number;
  /** Tombstones whose UID is listed again: `replaced` aside, they revive. */
  readonly listedAgain: readonly StoredMessage[];
}

export interface CompareInput {
  readonly uidValidity: number;
  readonly stored: readonly StoredMessage[];
  /** Every UID the server has; flags may be missing for some. */
  readonly uids: UidSet;
  readonly rows: readonly FlagRow[];
  /** Quarantined UIDs that are not due for another try. */
  readonly quarantined: UidSet;
  /** Listed under the UID of a row that is another message: they are fetched, and revive nothing. */
  readonly replaced?: UidSet;
}

export function compareFolder(input: CompareInput): Comparison {
  const { replaced = [] } = input;
  const ours = input.stored.filter((row) => row.uidValidity === input.uidValidity);
  const live = ours.filter((row) => !row.isVanished);
  const liveUids = uidSetOf(uidsOf(live));
  const listedAgain = latestTombstones(ours).filter((row) => hasUid(input.uids, row.uid) && !hasUid(liveUids, row.uid));
  const revived = withoutUids(listedAgain, replaced);
  const missing = live.filter((row) => !hasUid(input.uids, row.uid));
  const revivedUids = uidSetOf(uidsOf(revived));
  const unknown = subtractUids(input.uids, unionUids(liveUids, revivedUids));
  const pending = subtractUids(unionUids(unknown, replaced), input.quarantined);
  const former = pending.length > 0 ? [] : liveOfFormer(input);
  return {
    pending,
    listedUid: highestUid(input.uids),
    flagChanges: [...changedFlags(withoutUids(live, replaced), input.rows), ...changedFlags(revived, input.rows)],
    reviveIds: revived.map((row) => row.id),
    missingIds: [...missing, ...former].map((row) => row.id),
    missingUids: uidSetOf(uidsOf(missing)),
    liveUids,
    revivedUids,
    liveCount: live.length + former.length,
    listedAgain,
  };
}

const liveOfFormer = ({ stored, uidValidity }: CompareInput): StoredMessage[] =>
  stored.filter((row) => !row.isVanished && row.uidValidity !== uidValidity);

const withoutUids = (rows: readonly StoredMessage[], uids: UidSet): readonly StoredMessage[] =>
  uids.length === 0 ? rows : rows.filter((row) => !hasUid(uids, row.uid));

function* uidsOf(rows: readonly StoredMessage[]): Generator<number> {
  for (const { uid } of rows) yield uid;
}

/** One tombstone a UID, the newest. */
function latestTombstones(rows: readonly StoredMessage[]): StoredMessage[] {
  const byUid = new Map<number, StoredMessage>();
  for (const row of rows) if (row.isVanished && (byUid.get(row.uid)?.id ?? 0) < row.id) byUid.set(row.uid, row);
  return [...byUid.values()];
}

/** Both sides in the order of their UIDs, one step at a time: a folder may have a million of them. */
function changedFlags(stored: readonly StoredMessage[], rows: readonly FlagRow[]): FlagChange[] {
  const ordered = inUidOrder(stored);
  const changes: FlagChange[] = [];
  let at = 0;
  for (const row of inUidOrder(rows)) {
    while (at < ordered.length && (ordered[at]?.uid ?? 0) < row.uid) at += 1;
    for (; ordered[at]?.uid === row.uid; at += 1)
      if (ordered[at]?.flags !== row.flags) changes.push({ uid: row.uid, flags: row.flags, modseq: row.modseq });
  }
  return changes;
}

/** Nearly always they are: then there is nothing to copy. */
function inUidOrder<T extends { readonly uid: number }>(rows: readonly T[]): readonly T[] {
  const isOrdered = rows.every((row, index) => index === 0 || (rows[index - 1]?.uid ?? 0) <= row.uid);
  return isOrdered ? rows : rows.toSorted((a, b) => a.uid - b.uid);
}
