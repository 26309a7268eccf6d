/**
 * Compares one listing with the stored folders. Pure. A path that vanished and one that appeared may be the same folder:
 * UIDVALIDITY makes it a candidate, and only its mail proves it (sync/renames.ts), for servers give the same UIDVALIDITY to
 * folders made in one second, or to all.
 */
import type { FolderListing, ObservedFolder } from '../imap/session.ts';
import type { Folder, FolderPlan, ListedFolder, Priority } from '../store/store.ts';

/** Missing in this many complete listings in a row: the folder is retired, its messages become tombstones. */
export const missingCountMax = 2;

export type Renames = ReadonlyMap<ObservedFolder, Folder>;

export function planFolders(
  stored: readonly Folder[],
  listing: FolderListing,
  renames: Renames = new Map(),
): FolderPlan {
  const isProven = proofOf(listing.folders);
  const observed = withoutGhosts(stored, listing.folders, isProven);
  const matches = matchFolders(stored, observed, renames);
  const hollow = takeHollow(matches);
  const matched = new Set(matches.values());
  const isGone = (row: Folder): boolean => row.missingCount + 1 >= missingCountMax;
  const waiting = new Set(hollow.filter(({ row }) => !listing.isComplete || !isGone(row)).map(({ folder }) => folder));
  return {
    create: observed.filter((folder) => !matches.has(folder) && !waiting.has(folder)).map(listed),
    update: [...matches]
      .filter(([folder, row]) => differs(row, folder, isProven(folder)))
      .map(([folder, row]) => ({ ...listed(folder), emfdid: row.emfdid })),
    missing: listing.isComplete
      ? stored
          .filter((row) => row.retiredAt === null && !matched.has(row))
          .map((row) => ({ emfdid: row.emfdid, retire: isGone(row) }))
      : [],
  };
}

interface Match {
  readonly folder: ObservedFolder;
  readonly row: Folder;
}

/**
 * A name that is listed and has no STATUS, though others have one, may be the ghost of a deleted folder: only opening it tells.
 * It neither brings a retired folder back nor counts as seen.
 */
function proofOf(observed: readonly ObservedFolder[]): (folder: ObservedFolder) => boolean {
  const hasStatuses = observed.some((folder) => folder.status !== null);
  return (folder) => !hasStatuses || !folder.isSelectable || folder.status !== null;
}

function withoutGhosts(
  stored: readonly Folder[],
  observed: readonly ObservedFolder[],
  isProven: (folder: ObservedFolder) => boolean,
): ObservedFolder[] {
  const live = new Set(stored.filter((row) => row.retiredAt === null).map((row) => row.path));
  const retired = new Set(stored.filter((row) => row.retiredAt !== null).map((row) => row.path));
  return observed.filter((folder) => isProven(folder) || live.has(folder.path) || !retired.has(folder.path));
}

/**
 * A folder that held mail and is a mere container now was deleted with others left below it (RFC 9051 6.3.5): its mail is gone
 * like that of any missing folder, and the container is a new row when that is certain.
 */
function takeHollow(matches: Map<ObservedFolder, Folder>): Match[] {
  const hollow: Match[] = [];
  for (const [folder, row] of matches) {
    if (folder.isSelectable || !row.isSelectable || row.uidValidity === null || row.retiredAt !== null) continue;
    hollow.push({ folder, row });
    matches.delete(folder);
  }
  return hollow;
}

/** Live rows first: a retired folder keeps its path until a new one takes it. */
function matchFolders(
  stored: readonly Folder[],
  observed: readonly ObservedFolder[],
  renames: Renames,
): Map<ObservedFolder, Folder> {
  const matches = new Map(renames);
  const taken = new Set(matches.values());
  const byPath = rowsByPath(stored.filter((row) => !taken.has(row)));
  for (const folder of observed) {
    const row = byPath.get(folder.path);
    if (row && !matches.has(folder)) matches.set(folder, row);
  }
  return matches;
}

function rowsByPath(rows: readonly Folder[]): Map<string, Folder> {
  const retiredFirst = [...rows].sort((a, b) => Number(a.retiredAt === null) - Number(b.retiredAt === null));
  return new Map(retiredFirst.map((row) => [row.path, row]));
}

/** More are not looked into at once: each costs a folder opened. */
const candidateCountMax = 200;

/**
 * Folders that may be others renamed, those first whose counts agree: under a path that is new or has another UIDVALIDITY than
 * before, with the UIDVALIDITY of a folder that is no longer where it was. One folder may be several candidates.
 */
export function renameCandidates(stored: readonly Folder[], { folders }: FolderListing): Match[] {
  const live = stored.filter((row) => row.retiredAt === null && row.uidValidity !== null);
  const byPath = rowsByPath(live);
  const observed = new Map(folders.map((folder) => [folder.path, folder]));
  const moved = live.filter((row) => {
    const there = observed.get(row.path);
    return row.path !== 'INBOX' && (!there?.isSelectable || isOther(row, there)) && row.messageCount !== 0;
  });
  const others = folders
    .filter((folder) => folder.path !== 'INBOX' && (folder.status?.messages ?? 0) > 0)
    .filter((folder) => isOther(byPath.get(folder.path), folder));
  const counts = new Set(moved.map((row) => row.messageCount));
  const alike = others.filter((folder) => counts.has(folder.status?.messages ?? 0));
  const agreeing = firstOf(pairs(alike, moved), (pair) => !countsDiffer(pair), candidateCountMax);
  return [...agreeing, ...firstOf(pairs(others, moved), countsDiffer, candidateCountMax - agreeing.length)];
}

function firstOf(matches: Iterable<Match>, isWanted: (match: Match) => boolean, count: number): Match[] {
  const found: Match[] = [];
  if (count === 0) return found;
  for (const match of matches) {
    if (isWanted(match)) found.push(match);
    if (found.length === count) break;
  }
  return found;
}

/** One at a time: where thousands of folders were renamed and all have the same UIDVALIDITY, there are millions. */
function* pairs(folders: readonly ObservedFolder[], rows: readonly Folder[]): Generator<Match> {
  for (const folder of folders) for (const row of rows) if (mayBe(row, folder)) yield { folder, row };
}

/** No row, or one of another generation; a folder without a STATUS is given the benefit of the doubt. */
const isOther = (row: Folder | undefined, { status }: ObservedFolder): boolean =>
  row === undefined || (status !== null && status.uidValidity !== row.uidValidity);

const mayBe = (row: Folder, { status }: ObservedFolder): boolean =>
  status?.uidValidity === row.uidValidity && (status?.uidNext ?? row.uidNext ?? 0) >= (row.uidNext ?? 0);

const countsDiffer = ({ folder, row }: Match): boolean => folder.status?.messages !== row.messageCount;

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
    (row.missingCount > 0 && isProven) ||
    row.retiredAt !== null
  );
}
