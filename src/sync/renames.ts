/**
 * Proves by its newest mail that a folder is another one under a new name. Nothing is written: what is not proved is a new
 * folder and one that is missing, which loses no mail either, only the numbers that applications know it by.
 */
import { asEngineError } from '../base/errors.ts';
import { uidSetOf } from '../base/uid-set.ts';
import type { FolderListing, ImapSession, MetadataRow, ObservedFolder } from '../imap/session.ts';
import type { Folder, Store, StoredIdentity } from '../store/store.ts';
import { renameCandidates } from './folder-plan.ts';

/** So many of the newest messages are compared. */
const sampleCount = 20;

export async function proveRenames(
  store: Pick<Store, 'storedIdentities'>,
  session: ImapSession,
  stored: readonly Folder[],
  listing: FolderListing,
): Promise<Map<ObservedFolder, Folder>> {
  const renames = new Map<ObservedFolder, Folder>();
  const taken = new Set<Folder>();
  for (const { folder, row } of renameCandidates(stored, listing)) {
    if (renames.has(folder) || taken.has(row)) continue;
    const sample = (await store.storedIdentities(row.emfdid)).slice(-sampleCount);
    if (!holdsSameMail(sample, await observe(session, folder, row, sample))) continue;
    renames.set(folder, row);
    taken.add(row);
  }
  return renames;
}

/** Empty: another UIDVALIDITY, or it can't be opened. */
async function observe(
  session: ImapSession,
  { path }: ObservedFolder,
  row: Folder,
  sample: readonly StoredIdentity[],
): Promise<MetadataRow[]> {
  try {
    const { uidValidity } = await session.openFolder(path);
    if (uidValidity !== row.uidValidity || sample.length === 0) return [];
    return await session.fetchMetadata(uidSetOf(sample.map(({ uid }) => uid)), { withMessageId: true });
  } catch (error) {
    const failure = asEngineError(error);
    if (failure.scope !== 'folder' || failure.code === 'response_too_large') throw failure;
    return [];
  }
}

/** Some of the sample is still there, and all that is there is the same. Pure. */
export function holdsSameMail(sample: readonly StoredIdentity[], observed: readonly MetadataRow[]): boolean {
  const byUid = new Map(observed.map((row) => [row.uid, row]));
  const present = sample.filter(({ uid }) => byUid.has(uid));
  return present.length > 0 && present.every((row) => isSameMessage(row, byUid.get(row.uid)));
}

export function isSameMessage(stored: StoredIdentity, observed: MetadataRow | undefined): boolean {
  return (
    observed !== undefined &&
    observed.size === stored.size &&
    observed.internalDate === stored.internalDate &&
    observed.messageIdHeader === stored.messageIdHeader
  );
}
