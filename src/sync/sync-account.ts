/**
 * One pass over one account: connect → list → sync what changed → record. A folder that fails is backed off alone; what
 * reaches further (connection, login, store) ends the pass and is recorded with the account.
 */
import { throwIfAborted } from '../base/abort.ts';
import { toInstant } from '../base/clock.ts';
import { asEngineError, EngineError, type ErrorRecord } from '../base/errors.ts';
import type { FolderListing, ImapSession } from '../imap/session.ts';
import type { Account, Folder } from '../store/store.ts';
import { type Connection, type Connections, createConnections } from './connections.ts';
import { planFolders } from './folder-plan.ts';
import { recordFailure, recordHealthy } from './health.ts';
import { type FolderReport, failedPass, type KeepWish, type PassReport, type PassTask, type Ports } from './pass.ts';
import { proveRenames } from './renames.ts';
import { type Slice, startSlice } from './slice.ts';
import { breaksConnection, type VisitFrame, visitFolder } from './visit-folder.ts';
import { chooseVisits, type Visit } from './visits.ts';

export async function syncAccount(ports: Ports, task: PassTask): Promise<PassReport> {
  const account = await ports.store.account(task.acntid);
  if (!account) throw new EngineError('account_unknown', `${task.acntid}`);
  try {
    const report = await passOver(ports, task, account);
    if (report.error) await recordFailure(ports, account, report.error);
    else await recordHealthy(ports, account, report);
    return report;
  } catch (error) {
    // A connection that we cut is no failure of the account.
    throwIfAborted(ports.signal);
    const failure = asEngineError(error).toRecord();
    if (failure.code === 'fenced' || failure.code === 'aborted') throw error;
    await recordFailure(ports, account, failure);
    return failedPass(task.acntid, failure);
  }
}

async function passOver(ports: Ports, task: PassTask, account: Account): Promise<PassReport> {
  const { store, clock, limits } = ports;
  const slice = await startSlice({ store, clock, acntid: account.acntid, ms: task.sliceMs, perDay: limits.perDay });
  const connections = createConnections(ports, account);
  let wish: KeepWish = 'no';
  let report: PassReport;
  try {
    report = await listAndVisit({ ports, account, slice }, task, connections);
    wish = task.keep;
  } catch (error) {
    await connections.close('no');
    throw error;
  }
  return { ...report, isKept: await connections.close(wish) };
}

async function listAndVisit(frame: VisitFrame, task: PassTask, connections: Connections): Promise<PassReport> {
  const { ports, account, slice } = frame;
  const first = await connections.first();
  const listing = await listFolders(first);
  const folders = await recordFolders(ports, account, first.session, listing);
  const { open, unchanged } = await chooseVisits(ports, task.scope, folders, listing);
  const reports = await visitAll(frame, connections, first, open, task.connections);
  if (unchanged.length > 0)
    await ports.store.recordUnchanged(
      unchanged.map((folder) => folder.emfdid),
      toInstant(ports.clock()),
    );
  return {
    acntid: account.acntid,
    folders: reports,
    unchangedCount: unchanged.length,
    error: slice.wasCut ? slice.spent() : null,
    isUnfinished: slice.wasCut,
    isKept: false,
  };
}

/** A new connection may do better. */
async function listFolders(first: Connection): Promise<FolderListing> {
  try {
    return await first.session.listFolders({ withStatus: true });
  } catch (error) {
    const failure = asEngineError(error).toRecord();
    if (!isWorthAnother(first, failure)) throw error;
    await first.reopen(failure);
    return first.session.listFolders({ withStatus: true });
  }
}

/** A kept connection may have died unnoticed, and a server may be unable to take a command before it has answered the last. */
const isWorthAnother = ({ wasKept, session }: Connection, failure: ErrorRecord): boolean =>
  wasKept ? breaksConnection(failure) : session.hasAskedAhead && failure.code === 'connection_lost';

/** What the listing changes in the folder table, in one transaction; nothing is written when nothing differs. */
async function recordFolders(
  ports: Ports,
  account: Account,
  session: ImapSession,
  listing: FolderListing,
): Promise<Folder[]> {
  const stored = await ports.store.folders(account.acntid, { withRetired: true });
  if (hasInbox(stored) && !hasInbox(listing.folders))
    ports.log.warn('the server does not list INBOX: it is not looked at, and no folder counts as deleted', {
      acntid: account.acntid,
    });
  const plan = planFolders(stored, listing, await proveRenames(ports.store, session, stored, listing));
  const isEmpty = plan.create.length + plan.update.length + plan.missing.length === 0;
  if (isEmpty) return stored.filter((folder) => folder.retiredAt === null);
  return ports.store.applyFolderPlan(account.acntid, plan, toInstant(ports.clock()));
}

const hasInbox = (folders: readonly { readonly path: string }[]): boolean =>
  folders.some(({ path }) => path === 'INBOX');

/** Several connections take folders from one queue; each works on one folder at a time. */
async function visitAll(
  frame: VisitFrame,
  connections: Connections,
  first: Connection,
  visits: readonly Visit[],
  connectionCount: number,
): Promise<FolderReport[]> {
  const queue = [...visits];
  const reports: FolderReport[] = [];
  const work = async (connection: Connection): Promise<void> => {
    for (let visit = queue.shift(); visit; visit = nextVisit(queue, frame.slice))
      reports.push(await visitFolder(frame, connection, visit));
  };
  const others = Array.from({ length: Math.min(connectionCount, visits.length) - 1 }, () => connections.extra(work));
  const results = await Promise.allSettled([work(first), ...others]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return reports;
}

function nextVisit(queue: Visit[], slice: Slice): Visit | undefined {
  if (queue.length === 0 || !slice.isOver()) return queue.shift();
  slice.wasCut = true;
  return undefined;
}
