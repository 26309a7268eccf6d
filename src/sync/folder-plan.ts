/**
 * Compares one listing with the stored folders. Pure. A path that vanished and one that appeared are the same folder
 * when the server says so (MAILBOXID, RFC 8474) or when both UIDVALIDITY and the numbers behind it are the same, which
 * no two folders of one account share by chance on servers that draw UIDVALIDITY from the clock and keep it on RENAME.
 */
import type { FolderListing, ObservedFolder } from '../imap/session.ts';
import type { Folder, FolderPlan, ListedFolder, Priority } from '../store/store.ts';

/** Missing in this many complete listings in a row: the folder is retired, its messages become tombstones. */
export const missingCountMax = 2;

export function planFolders(stored: readonly Folder[], listing: FolderListing): FolderPlan {
  const isProven = proofOf(listing.folders);
  const gone = new Set(stored.filter((row) => row.retiredAt !== null).map((row) => row.path));
  const observed = listing.folders.filter((folder) => isProven(folder) || !gone.has(folder.path));
  const matches = matchByPath(stored, observed);
  matchRenamed(stored, observed, matches);
  const matched = new Set(matches.values());
  return {
    create: observed.filter((folder) => !matches.has(folder)).map(listed),
    update: [...matches]
      .filter(([folder, row]) => differs(row, folder, isProven(folder)))
      .map(([folder, row]) => ({ ...listed(folder), emfdid: row.emfdid })),
    missing: listing.isComplete ? stored.filter((row) => isMissing(row, matched)).map(missing) : [],
  };
}

/**
 * A name that is listed and has no STATUS, though others have one, may be the ghost of a deleted folder: only opening it tells.
 * It neither brings a retired folder back nor counts as seen.
 */
function proofOf(observed: readonly ObservedFolder[]): (folder: ObservedFolder) => boolean {
  const hasStatuses = observed.some((folder) => folder.status !== null);
  return (folder) => !hasStatuses || !folder.isSelectable || folder.status !== null;
}

function isMissing(row: Folder, matched: ReadonlySet<Folder>): boolean {
  return row.retiredAt === null && !matched.has(row);
}

const missing = (row: Folder): { emfdid: number; retire: boolean } => ({
  emfdid: row.emfdid,
  retire: row.missingCount + 1 >= missingCountMax,
});

/** Live rows first: a retired folder keeps its path until a new one takes it. */
function matchByPath(stored: readonly Folder[], observed: readonly ObservedFolder[]): Map<ObservedFolder, Folder> {
  const byPath = new Map<string, Folder>();
  const retiredFirst = [...stored].sort((a, b) => Number(a.retiredAt === null) - Number(b.retiredAt === null));
  for (const row of retiredFirst) byPath.set(row.path, row);
  const matches = new Map<ObservedFolder, Folder>();
  for (const folder of observed) {
    const row = byPath.get(folder.path);
    if (row && !isAnotherFolder(row, folder)) matches.set(folder, row);
  }
  return matches;
}

/** Same path, but the server says it is another folder: the old one was renamed away and this one made in its place. */
function isAnotherFolder(row: Folder, folder: ObservedFolder): boolean {
  return row.mailboxId !== null && folder.mailboxId !== null && row.mailboxId !== folder.mailboxId;
}

function matchRenamed(
  stored: readonly Folder[],
  observed: readonly ObservedFolder[],
  matches: Map<ObservedFolder, Folder>,
): void {
  const taken = new Set(matches.values());
  for (const folder of observed) {
    if (matches.has(folder)) continue;
    const candidates = stored.filter((row) => !taken.has(row) && row.path !== 'INBOX' && isSameFolder(row, folder));
    const [only] = candidates;
    if (candidates.length !== 1 || !only) continue;
    matches.set(folder, only);
    taken.add(only);
  }
}

function isSameFolder(row: Folder, folder: ObservedFolder): boolean {
  if (row.mailboxId !== null && folder.mailboxId !== null) return row.mailboxId === folder.mailboxId;
  const { status } = folder;
  if (!status || row.uidValidity === null || status.uidValidity !== row.uidValidity) return false;
  // An empty folder proves nothing: many share a UIDVALIDITY that was drawn in the same second.
  return (
    status.messages > 0 &&
    row.uidNext !== null &&
    status.uidNext === row.uidNext &&
    row.messageCount === status.messages
  );
}

const listed = (folder: ObservedFolder): ListedFolder => ({
  path: folder.path,
  delimiter: folder.delimiter,
  role: folder.role,
  priority: defaultPriority(folder),
  isSelectable: folder.isSelectable,
  mailboxId: folder.mailboxId,
});

const defaultPriority = (folder: ObservedFolder): Priority => (folder.path === 'INBOX' ? 'high' : 'low');

function differs(row: Folder, folder: ObservedFolder, isProven: boolean): boolean {
  return (
    row.path !== folder.path ||
    row.delimiter !== folder.delimiter ||
    row.role !== folder.role ||
    row.isSelectable !== folder.isSelectable ||
    row.mailboxId !== folder.mailboxId ||
    (row.missingCount > 0 && isProven) ||
    row.retiredAt !== null
  );
}
