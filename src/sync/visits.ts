/** Which folders of a listing a pass opens, in which order, and which are unchanged. */
import { toInstant } from '../base/clock.ts';
import { EngineError } from '../base/errors.ts';
import { isInbox } from '../imap/folder-name.ts';
import type { FolderListing, FolderStatus, ObservedFolder } from '../imap/session.ts';
import type { Folder } from '../store/store.ts';
import type { Ports, Scope } from './pass.ts';
import { type PassKind, type Plan, planVisit } from './plan.ts';
import { storedNumbers } from './sync-folder.ts';

export interface Visit {
  readonly folder: Folder;
  readonly kind: PassKind;
  readonly status: FolderStatus | null;
}

export interface Visits {
  readonly open: readonly Visit[];
  readonly unchanged: readonly Folder[];
}

/** One folder and what a pass would do with it: what `sync --dry-run` prints. */
export interface Forecast extends Visit {
  readonly plan: Plan;
}

export async function chooseVisits(
  ports: Pick<Ports, 'store' | 'clock'>,
  scope: Scope,
  folders: readonly Folder[],
  listing: FolderListing,
): Promise<Visits> {
  const forecasts = await forecastVisits(ports, scope, folders, listing);
  return {
    open: forecasts.filter((forecast) => forecast.plan.step !== 'skip').sort(byUrgency),
    unchanged: forecasts.filter((forecast) => forecast.plan.step === 'skip').map((forecast) => forecast.folder),
  };
}

export async function forecastVisits(
  ports: Pick<Ports, 'store' | 'clock'>,
  scope: Scope,
  folders: readonly Folder[],
  listing: FolderListing,
): Promise<Forecast[]> {
  const observed = new Map(listing.folders.map((folder) => [folder.path, folder]));
  const forecasts: Forecast[] = [];
  for (const folder of inScope(scope, folders)) {
    const there = observed.get(folder.path);
    if (!there?.isSelectable) continue;
    forecasts.push(await forecast(ports, folder, there, kindOf(scope, folder)));
  }
  return forecasts;
}

async function forecast(
  ports: Pick<Ports, 'store' | 'clock'>,
  folder: Folder,
  there: ObservedFolder,
  kind: PassKind,
): Promise<Forecast> {
  const now = toInstant(ports.clock());
  const quarantine = folder.firstSyncedAt === null ? [] : await ports.store.quarantine(folder.emfdid);
  const dueAgain = quarantine.filter((row) => row.retryAt !== null && row.retryAt <= now).length;
  const { status } = there;
  return { folder, kind, status, plan: planVisit(storedNumbers(folder, dueAgain), status, kind) };
}

/** A folder that no listing showed is an error only when it was asked for by name. */
function inScope(scope: Scope, folders: readonly Folder[]): Folder[] {
  const selectable = folders.filter((folder) => folder.priority !== 'off' && folder.isSelectable);
  if (scope.kind === 'schedule') {
    const due = new Set([...scope.recent, ...scope.full]);
    const takesFirst = scope.leavesFirst !== true;
    return selectable.filter((folder) => due.has(folder.emfdid) || (takesFirst && folder.firstSyncedAt === null));
  }
  if (scope.paths.length === 0) return selectable;
  return scope.paths.map((path) => folders.find((folder) => folder.path === normalised(path)) ?? unknownPath(path));
}

const normalised = (path: string): string => (isInbox(path) ? 'INBOX' : path);

function unknownPath(path: string): never {
  throw new EngineError('not_found', `no folder ${JSON.stringify(path)} in this account`);
}

function kindOf(scope: Scope, folder: Folder): PassKind {
  if (scope.kind === 'command') return scope.pass;
  return scope.full.includes(folder.emfdid) ? 'full' : 'recent';
}

/** \All first, so that labels find their bodies here; INBOX; what needs little before what needs much. */
function byUrgency(a: Visit, b: Visit): number {
  return rank(a.folder) - rank(b.folder);
}

function rank(folder: Folder): number {
  if (folder.role === 'all') return 0;
  const first = folder.firstSyncedAt === null ? 10 : 0;
  return first + (folder.path === 'INBOX' ? 1 : folder.priority === 'high' ? 2 : 3);
}
