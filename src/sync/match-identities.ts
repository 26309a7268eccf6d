/**
 * Finds stored messages again after a changed UIDVALIDITY. Pure. By EMAILID where both sides have one, else by
 * Message-ID, size and INTERNALDATE together; equal keys pair in UID order, so that two copies stay two.
 * What is left over on the server's side is downloaded and may still be recognised by its SHA-256.
 */
import type { MetadataRow } from '../imap/session.ts';
import type { Placement, StoredIdentity } from '../store/store.ts';

export type Match = { readonly id: number } & Placement;

export function matchIdentities(stored: readonly StoredIdentity[], observed: readonly MetadataRow[]): Match[] {
  const rest = new Set(stored);
  const byEmailId = pair(
    [...rest],
    observed,
    (row) => row.emailId,
    (row) => row.emailId,
  );
  for (const [row] of byEmailId) rest.delete(row);
  const found = new Set(byEmailId.map(([, row]) => row));
  const byHeader = pair(
    [...rest],
    observed.filter((row) => !found.has(row)),
    headerKey,
    headerKey,
  );
  return [...byEmailId, ...byHeader].map(([row, placement]) => ({ id: row.id, ...toPlacement(placement) }));
}

function pair(
  stored: readonly StoredIdentity[],
  observed: readonly MetadataRow[],
  storedKey: (row: StoredIdentity) => string | null,
  observedKey: (row: MetadataRow) => string | null,
): [StoredIdentity, MetadataRow][] {
  const queues = groupByKey(stored, storedKey);
  const pairs: [StoredIdentity, MetadataRow][] = [];
  for (const row of inUidOrder(observed)) {
    const key = observedKey(row);
    const partner = key === null ? undefined : queues.get(key)?.shift();
    if (partner) pairs.push([partner, row]);
  }
  return pairs;
}

function groupByKey(
  rows: readonly StoredIdentity[],
  keyOf: (row: StoredIdentity) => string | null,
): Map<string, StoredIdentity[]> {
  const groups = new Map<string, StoredIdentity[]>();
  for (const row of inUidOrder(rows)) {
    const key = keyOf(row);
    if (key === null) continue;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

const inUidOrder = <T extends { readonly uid: number }>(rows: readonly T[]): T[] =>
  [...rows].sort((a, b) => a.uid - b.uid);

interface HeaderIdentity {
  readonly messageIdHeader: string | null;
  readonly size: number;
  readonly internalDate: string | null;
}

function headerKey(row: HeaderIdentity): string | null {
  if (row.messageIdHeader === null || row.internalDate === null) return null;
  return `${row.messageIdHeader}\n${row.size}\n${row.internalDate}`;
}

function toPlacement({ uid, flags, internalDate, size, modseq, emailId }: MetadataRow): Placement {
  return { uid, flags, internalDate, size, modseq, emailId };
}
