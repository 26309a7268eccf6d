/**
 * UIDs under which the server has another message than we have. No server may give a UID twice (RFC 9051 2.3.1.1); one that was
 * restored from an older backup does, under the UIDVALIDITY it had. Where something hints at it, the messages are compared; an
 * administrator who knows it has them all fetched (`sync --refetch`). What may differ is no more than fetched again: the bytes
 * decide (store/sqlite/place-message.ts).
 */
import { hasUid, highestUid, type UidSet, uidSetOf } from '../base/uid-set.ts';
import type { CompareInput, Comparison } from './compare.ts';
import type { FolderPass } from './folder-pass.ts';
import { askInHalves } from './in-halves.ts';
import { isSameMessage } from './renames.ts';

/** Asks the server about tombstones whose UID is listed again, and about all rows when a number went back; a refetch asks for none. */
export async function findReplaced(pass: FolderPass, input: CompareInput, result: Comparison): Promise<UidSet> {
  const isSuspect = credibleUidNext(pass, input.uids) < (pass.folder.uidNext ?? 0) || modseqWentBack(pass);
  const live = input.stored.filter((row) => !row.isVanished && row.uidValidity === input.uidValidity);
  const suspects = isSuspect || pass.owesRefetch ? live : [];
  const rows = [...result.listedAgain, ...suspects].filter(({ uid }) => hasUid(input.uids, uid));
  if (rows.length === 0 || pass.owesRefetch) return uidSetOf(rows.map(({ uid }) => uid));
  const ids = rows.map(({ id }) => id);
  const stored = await pass.ports.store.identitiesOf(pass.folder.emfdid, ids);
  const uids = uidSetOf(rows.map(({ uid }) => uid));
  const observed = await askInHalves(uids, (some) => pass.session.fetchMetadata(some, { withMessageId: true }));
  const byUid = new Map(observed.map((row) => [row.uid, row]));
  const replaced = stored.filter((row) => byUid.has(row.uid) && !isSameMessage(row, byUid.get(row.uid)));
  return uidSetOf(replaced.map(({ uid }) => uid));
}

/** Infinity: the server says none, or one that is not above what it lists. */
export const credibleUidNext = ({ opened }: FolderPass, uids: UidSet): number =>
  opened.uidNext !== null && highestUid(uids) < opened.uidNext ? opened.uidNext : Number.POSITIVE_INFINITY;

const modseqWentBack = ({ opened, folder }: FolderPass): boolean =>
  opened.highestModseq !== null && folder.highestModseq !== null && opened.highestModseq < folder.highestModseq;
