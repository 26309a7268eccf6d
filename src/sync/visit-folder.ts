/**
 * One folder of a pass, whatever happens to its connection. A window that breaks the connection is tried again on a new one with
 * fewer messages, so that one poisoned message can't stop its folder for ever. A folder that fails is backed off alone.
 */
import { toInstant } from '../base/clock.ts';
import { asEngineError, EngineError, type ErrorRecord, fromErrorRecord } from '../base/errors.ts';
import { quoteName } from '../base/log-line.ts';
import { type UidSet, unionUids } from '../base/uid-set.ts';
import type { Account, Folder } from '../store/store.ts';
import { retryAtMs } from './backoff.ts';
import type { Connection } from './connections.ts';
import type { PoisonHunt } from './folder-pass.ts';
import { missingCountMax } from './folder-plan.ts';
import type { FolderReport, Ports } from './pass.ts';
import type { Slice } from './slice.ts';
import { syncFolder } from './sync-folder.ts';
import type { Visit } from './visits.ts';
import { windowCountMax } from './window.ts';

/** What all visits of a pass have in common. */
export interface VisitFrame {
  readonly ports: Ports;
  readonly account: Account;
  readonly slice: Slice;
}

/** Fewer and fewer messages a window, on a new connection each time. */
const windowCounts = [windowCountMax, 200, 20, 1];

export async function visitFolder(frame: VisitFrame, connection: Connection, visit: Visit): Promise<FolderReport> {
  const { ports, account, slice } = frame;
  const startedMs = performance.now();
  const hunt: PoisonHunt = { suspect: null, breakCount: 0, oversized: [], poisoned: [], lastWords: '' };
  let failure: ErrorRecord | null = null;
  // Ends: `reopen` throws when the account has used up its reconnections.
  for (let tries = 0; ; tries += 1) {
    try {
      const folder = failure === null ? visit.folder : await ports.store.folder(visit.folder.emfdid);
      if (!folder) break;
      const windowCount = windowCounts[tries] ?? 1;
      const task = { ...visit, account, folder, windowCountMax: windowCount, hunt, slice };
      const report = await syncFolder(ports, connection.session, task);
      logReport(frame, report, (performance.now() - startedMs) / 1000);
      return report;
    } catch (error) {
      failure = asEngineError(error).toRecord();
      if (!breaksConnection(failure)) break;
      await connection.reopen(failure);
      if (isPoisonFound(hunt, failure)) tries = -1;
    }
  }
  // Listed without a STATUS, and gone when it was opened.
  if (failure?.code === 'folder_missing' && visit.status === null) return countMissing(frame, visit.folder);
  return failFolder(frame, visit.folder, failure ?? new EngineError('folder_missing', '').toRecord());
}

/**
 * A message that broke two connections in a row, alone each time, is not asked for a third time. One that was larger than any
 * that comes in bulk, against what the server had said, is asked for in parts the second time.
 */
function isPoisonFound(hunt: PoisonHunt, { code, detail }: ErrorRecord): boolean {
  if (hunt.suspect === null) return false;
  hunt.lastWords = detail;
  const found: UidSet = [[hunt.suspect, hunt.suspect]];
  hunt.breakCount += 1;
  if (hunt.breakCount < 2) {
    if (code === 'response_too_large') hunt.oversized = unionUids(hunt.oversized, found);
    return false;
  }
  hunt.poisoned = unionUids(hunt.poisoned, found);
  hunt.suspect = null;
  return true;
}

export const breaksConnection = ({ code }: ErrorRecord): boolean =>
  code === 'connection_lost' || code === 'response_too_large' || code === 'protocol_violation' || code === 'timeout';

/** As if the listing had not shown it: the second time in a row it is retired. */
async function countMissing({ ports, account }: VisitFrame, folder: Folder): Promise<FolderReport> {
  const { emfdid, path, missingCount } = folder;
  const missing = [{ emfdid, retire: missingCount + 1 >= missingCountMax }];
  await ports.store.applyFolderPlan(account.acntid, { create: [], update: [], missing }, toInstant(ports.clock()));
  ports.log.info(`listed, but gone: ${quoteName(path)}`, { acntid: account.acntid, emfdid });
  return { emfdid, path, ...nothingDone, error: null };
}

async function failFolder({ ports, account }: VisitFrame, folder: Folder, failure: ErrorRecord): Promise<FolderReport> {
  const { emfdid, path } = folder;
  if (failure.scope !== 'folder' && failure.scope !== 'message' && failure.code !== 'bug')
    throw fromErrorRecord(failure);
  const failureCount = folder.failureCount + 1;
  const retryAt = toInstant(new Date(retryAtMs(failure, failureCount, ports.clock().getTime())));
  await ports.store.failFolder(emfdid, { lastError: `${failure.code}: ${failure.detail}`, retryAt, failureCount });
  ports.log.warn(`${failure.code}: ${failure.detail}`, { acntid: account.acntid, emfdid });
  return { emfdid, path, ...nothingDone, error: failure };
}

const nothingDone = {
  receivedCount: 0,
  receivedBytes: 0,
  flagCount: 0,
  vanishedCount: 0,
  quarantinedCount: 0,
  heldCount: 0,
};

function logReport({ ports, account }: VisitFrame, report: FolderReport, seconds: number): void {
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
