/**
 * One pass over one account: connect → list → sync what changed → record. A folder that fails is backed off alone; what
 * reaches further (connection, login, store) ends the pass and is recorded with the account. A window that breaks the
 * connection is tried again on a new one with fewer messages, so that one poisoned message can't stop its folder for ever.
 */
import { toInstant } from '../base/clock.ts';
import { asEngineError, EngineError, type ErrorRecord, fromErrorRecord } from '../base/errors.ts';
import { quoteName } from '../base/log-line.ts';
import { unionUids } from '../base/uid-set.ts';
import type { FolderListing } from '../imap/session.ts';
import type { Account, Folder } from '../store/store.ts';
import { retryAtMs } from './backoff.ts';
import { type Connection, createConnections } from './connections.ts';
import type { PoisonHunt } from './folder-pass.ts';
import { planFolders } from './folder-plan.ts';
import type { FolderReport, PassReport, PassTask, Ports } from './pass.ts';
import { syncFolder } from './sync-folder.ts';
import { chooseVisits, type Visit } from './visits.ts';
import { windowCountMax } from './window.ts';

export async function syncAccount(ports: Ports, task: PassTask): Promise<PassReport> {
  const account = await ports.store.account(task.acntid);
  if (!account) throw new EngineError('account_unknown', `${task.acntid}`);
  try {
    const report = await passOver(ports, task, account);
    await recordHealthy(ports, account, report);
    return report;
  } catch (error) {
    const failure = asEngineError(error).toRecord();
    if (failure.code === 'fenced' || failure.code === 'aborted') throw error;
    await recordFailure(ports, account, failure);
    return { acntid: task.acntid, folders: [], unchangedCount: 0, error: failure };
  }
}

async function passOver(ports: Ports, task: PassTask, account: Account): Promise<PassReport> {
  const connections = createConnections(ports, account);
  try {
    const first = await connections.open();
    const listing = await first.session.listFolders({ withStatus: true });
    const folders = await recordFolders(ports, account, listing);
    const visits = await chooseVisits(ports, task.scope, folders, listing);
    const reports = await visitAll(ports, account, connections, first, visits.open, task.connections);
    if (visits.unchanged.length > 0)
      await ports.store.recordUnchanged(
        visits.unchanged.map((folder) => folder.emfdid),
        toInstant(ports.clock()),
      );
    return { acntid: account.acntid, folders: reports, unchangedCount: visits.unchanged.length, error: null };
  } finally {
    await connections.close();
  }
}

/** What the listing changes in the folder table, in one transaction; nothing is written when nothing differs. */
async function recordFolders(ports: Ports, account: Account, listing: FolderListing): Promise<Folder[]> {
  const stored = await ports.store.folders(account.acntid, { withRetired: true });
  const plan = planFolders(stored, listing);
  const isEmpty = plan.create.length + plan.update.length + plan.missing.length === 0;
  if (isEmpty) return stored.filter((folder) => folder.retiredAt === null);
  return ports.store.applyFolderPlan(account.acntid, plan, toInstant(ports.clock()));
}

/** Several connections take folders from one queue; each works on one folder at a time. */
async function visitAll(
  ports: Ports,
  account: Account,
  connections: ReturnType<typeof createConnections>,
  first: Connection,
  visits: readonly Visit[],
  connectionCount: number,
): Promise<FolderReport[]> {
  const queue = [...visits];
  const reports: FolderReport[] = [];
  const work = async (connection: Connection): Promise<void> => {
    for (let visit = queue.shift(); visit; visit = queue.shift())
      reports.push(await visitFolder(ports, account, connection, visit));
  };
  const others = Array.from({ length: Math.min(connectionCount, visits.length) - 1 }, () => connections.extra(work));
  const results = await Promise.allSettled([work(first), ...others]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return reports;
}

/** Fewer and fewer messages a window, on a new connection each time. */
const windowCounts = [windowCountMax, 200, 20, 1];

async function visitFolder(
  ports: Ports,
  account: Account,
  connection: Connection,
  visit: Visit,
): Promise<FolderReport> {
  const startedMs = performance.now();
  const hunt: PoisonHunt = { suspect: null, breakCount: 0, poisoned: [] };
  let failure: ErrorRecord | null = null;
  // Ends: `reopen` throws when the account has used up its reconnections.
  for (let tries = 0; ; tries += 1) {
    try {
      const folder = failure === null ? visit.folder : await ports.store.folder(visit.folder.emfdid);
      if (!folder) break;
      const report = await syncFolder(ports, connection.session, {
        ...visit,
        account,
        folder,
        windowCountMax: windowCounts[tries] ?? 1,
        hunt,
      });
      logReport(ports, account, report, (performance.now() - startedMs) / 1000);
      return report;
    } catch (error) {
      failure = asEngineError(error).toRecord();
      if (!breaksConnection(failure)) break;
      await connection.reopen(failure);
      if (isPoisonFound(hunt)) tries = -1;
    }
  }
  return failFolder(ports, account, visit.folder, failure ?? new EngineError('folder_missing', '').toRecord());
}

/** A message that broke two connections in a row, alone each time, is not asked for a third time. */
function isPoisonFound(hunt: PoisonHunt): boolean {
  if (hunt.suspect === null) return false;
  hunt.breakCount += 1;
  if (hunt.breakCount < 2) return false;
  hunt.poisoned = unionUids(hunt.poisoned, [[hunt.suspect, hunt.suspect]]);
  hunt.suspect = null;
  return true;
}

const breaksConnection = ({ code }: ErrorRecord): boolean =>
  code === 'connection_lost' || code === 'response_too_large' || code === 'protocol_violation' || code === 'timeout';

async function failFolder(ports: Ports, account: Account, folder: Folder, failure: ErrorRecord): Promise<FolderReport> {
  const { emfdid, path } = folder;
  if (failure.scope !== 'folder' && failure.scope !== 'message' && failure.code !== 'bug')
    throw fromErrorRecord(failure);
  const failureCount = folder.failureCount + 1;
  const retryAt = toInstant(new Date(retryAtMs(failure, failureCount, ports.clock().getTime())));
  await ports.store.failFolder(emfdid, { lastError: `${failure.code}: ${failure.detail}`, retryAt, failureCount });
  ports.log.warn(`${failure.code}: ${failure.detail}`, { acntid: account.acntid, emfdid });
  return {
    emfdid,
    path,
    receivedCount: 0,
    receivedBytes: 0,
    flagCount: 0,
    vanishedCount: 0,
    quarantinedCount: 0,
    heldCount: 0,
    error: failure,
  };
}

function logReport(ports: Ports, account: Account, report: FolderReport, seconds: number): void {
  const at = { acntid: account.acntid, emfdid: report.emfdid };
  const { receivedCount, flagCount, vanishedCount, quarantinedCount, heldCount } = report;
  const changes = [
    [flagCount, 'flags changed'],
    [vanishedCount, 'vanished'],
    [quarantinedCount, 'quarantined'],
    [heldCount, 'deletions held back'],
  ].filter(([count]) => Number(count) > 0);
  const line = `received ${receivedCount} new messages in ${Math.round(seconds)}s`;
  if (receivedCount > 0 || changes.length > 0) ports.log.info(line, at);
  else ports.log.debug(line, at);
  if (changes.length > 0)
    ports.log.info(`${changes.map(([count, what]) => `${count} ${what}`).join(', ')} in ${quoteName(report.path)}`, at);
}

async function recordHealthy(ports: Ports, account: Account, report: PassReport): Promise<void> {
  const lastError = report.folders.find((folder) => folder.error)?.error;
  await ports.store.recordHealth(account.acntid, {
    state: 'ok',
    lastError: lastError ? `${lastError.code}: ${lastError.detail}` : null,
    retryAt: null,
    checkedAt: toInstant(ports.clock()),
    failureCount: 0,
  });
}

/** Credentials and certificates wait for an operator and are tried seldom; everything else backs off. */
async function recordFailure(ports: Ports, account: Account, failure: ErrorRecord): Promise<void> {
  const nowMs = ports.clock().getTime();
  const failureCount = account.failureCount + 1;
  const isAuth =
    failure.code === 'auth_failed' || failure.code === 'no_password' || failure.code === 'secret_unreadable';
  const waitMs = failure.remedy === 'wait-operator' ? ports.limits.authRetrySeconds * 1000 : 0;
  const retryAt = toInstant(new Date(Math.max(nowMs + waitMs, retryAtMs(failure, failureCount, nowMs))));
  ports.log.warn(`${failure.code}: ${failure.detail}`, { acntid: account.acntid });
  await ports.store.recordHealth(account.acntid, {
    state: isAuth ? 'auth_error' : 'backoff',
    lastError: `${failure.code}: ${failure.detail}`,
    retryAt,
    checkedAt: toInstant(ports.clock()),
    failureCount,
  });
}
