/**
 * One folder's pass: open → plan → apply, until the counts agree with the server's. Every step writes what it learned in
 * one transaction (recordListing, applyReset, storeBatch, applyFlags, applyVanished, endPass); killed between any two of
 * them, the next pass finds the checkpoint where the last committed one left it, and goes on.
 */
import { toInstant } from '../base/clock.ts';
import type { ImapSession } from '../imap/session.ts';
import { isShortListing } from '../imap/uid-listing.ts';
import type { Folder } from '../store/store.ts';
import { listUidsFrom } from './beyond-next.ts';
import { applyDelta, recordArrived } from './delta.ts';
import { fetchPending } from './fetch-window.ts';
import { createFolderPass, type FolderPass, type FolderTask, pendingCountOf } from './folder-pass.ts';
import type { FolderReport, Ports } from './pass.ts';
import { type ObservedNumbers, owesScan, type Plan, planOpened, planVisit, type StoredNumbers } from './plan.ts';
import { resetFolder } from './reset.ts';
import { scanFolder } from './scan.ts';
import { applyVanished, endTrial, needsTrial } from './vanished.ts';

/** How often one pass may find that the counts still differ; then the next pass opens the folder again. */
const roundsMax = 3;

export async function syncFolder(ports: Ports, session: ImapSession, task: FolderTask): Promise<FolderReport> {
  const opening = { since: changesSince(session, task), listFrom: listFrom(task) };
  const opened = await session.openFolder(task.folder.path, opening);
  const pass = createFolderPass(ports, session, task, opened);
  const [stored, observed] = [storedNumbers(task.folder, 0), observedNumbers(pass)];
  const owes = owesScan(stored, observed, task.kind);
  let plan = planOpened(stored, observed, task.kind);
  let agrees = false;
  let isWhole = false;
  const isDone = (): boolean => agrees && (isWhole || !owes) && !pass.owesRefetch;
  for (let round = 0; round < roundsMax && !isDone(); round += 1) {
    pass.isLastRound = round === roundsMax - 1;
    if (await applyPlan(pass, plan)) isWhole = true;
    if (pass.isCutShort) return reportOf(pass);
    agrees = !pass.isInDoubt && (await countsAgree(pass));
    plan = { step: 'scan', because: whyAgain(pass, agrees) };
  }
  await endPass(pass, agrees, isWhole);
  return reportOf(pass);
}

function whyAgain({ owesRefetch }: FolderPass, agrees: boolean): string {
  if (!agrees) return 'the counts differ';
  return owesRefetch ? 'refetch sync' : 'the first sync was interrupted';
}

const reportOf = ({ folder, counts }: FolderPass): FolderReport => ({
  emfdid: folder.emfdid,
  path: folder.path,
  ...counts,
  error: null,
});

/** QRESYNC tells changes on opening; asked for where its VANISHED was not caught lying, and never for a full pass. */
function changesSince(
  session: ImapSession,
  { account, folder, kind }: FolderTask,
): { uidValidity: number; modseq: bigint } | undefined {
  const { uidValidity, highestModseq: modseq } = folder;
  const isUsable =
    session.capabilities.hasQresync && account.vanishedTrust >= 0 && kind === 'recent' && folder.firstSyncedAt !== null;
  return isUsable && uidValidity !== null && modseq !== null ? { uidValidity, modseq } : undefined;
}

/** Of what the listing of folders promises, so that few UIDs can be told with the opening; undefined: too many, none, or not needed. */
function listFrom({ folder, status, kind }: FolderTask): number | undefined {
  if (status === null || status.uidNext === folder.uidNext) return undefined;
  const { step } = planVisit(storedNumbers(folder, 0), status, kind);
  const first = step === 'new' ? 1 : step === 'delta' ? folder.listedUid + 1 : null;
  return first !== null && isShortListing(status, first) ? first : undefined;
}

export function storedNumbers(folder: Folder, dueAgainCount: number): StoredNumbers {
  const { uidValidity, uidNext, highestModseq, messageCount, unseenCount, firstSyncedAt } = folder;
  const pendingCount = pendingCountOf(folder) + dueAgainCount;
  return {
    uidValidity,
    uidNext,
    highestModseq,
    messageCount,
    unseenCount,
    isFirstSynced: firstSyncedAt !== null,
    pendingCount,
  };
}

function observedNumbers({ opened, status }: FolderPass): ObservedNumbers {
  const { uidValidity, uidNext, highestModseq, messages } = opened;
  return { uidValidity, uidNext, highestModseq, messages, unseen: status?.unseen ?? null };
}

/** True: everything the server lists was compared, which makes the pass a full one. */
async function applyPlan(pass: FolderPass, plan: Plan): Promise<boolean> {
  const { acntid, emfdid } = pass.folder;
  pass.ports.log.debug(`plan: ${plan.step}${plan.step === 'scan' ? ` (${plan.because})` : ''}`, { acntid, emfdid });
  if (plan.step === 'new') await applyNew(pass);
  else if (plan.step === 'reset') await fetchPending(pass, await resetFolder(pass));
  else if (plan.step === 'delta' && !needsTrial(pass)) return applyRecent(pass, plan.flagsSince);
  else await applyScan(pass);
  return true;
}

async function applyNew(pass: FolderPass): Promise<void> {
  const uids = await listUidsFrom(pass, 1);
  await recordArrived(pass, uids, uids);
  await fetchPending(pass, uids);
}

async function applyRecent(pass: FolderPass, flagsSince: bigint | null): Promise<boolean> {
  const isTaken = await applyVanished(pass);
  if (isTaken) await fetchPending(pass, await applyDelta(pass, flagsSince));
  else await applyScan(pass);
  return !isTaken;
}

async function applyScan(pass: FolderPass): Promise<void> {
  const scan = await scanFolder(pass);
  await endTrial(pass, scan);
  await fetchPending(pass, scan.pending);
}

/**
 * Promise 7 of DESIGN.md, per folder: server count = stored − held back + quarantined (+ excluded, + pending: none is left). Not while
 * there are rows of a former UIDVALIDITY: each would make up for one that the server left out.
 */
async function countsAgree(pass: FolderPass): Promise<boolean> {
  const { store } = pass.ports;
  const { emfdid } = pass.folder;
  const { live, held, former } = await store.liveCounts(emfdid);
  const quarantined = (await store.quarantine(emfdid)).length;
  return former === 0 && live - held + quarantined === pass.session.exists;
}

/**
 * A pass whose counts did not agree stores no UIDNEXT: the next one will not take the folder for unchanged. Changes that could not
 * be read, or did not come, are asked for again, until a whole look was taken.
 */
async function endPass(pass: FolderPass, agrees: boolean, isWhole: boolean): Promise<void> {
  const { folder, opened, ports, uidValidity } = pass;
  if (!agrees)
    ports.log.warn(`the server counts ${pass.session.exists} messages, which is not what it lists`, {
      acntid: folder.acntid,
      emfdid: folder.emfdid,
    });
  const { unseen } = await ports.store.liveCounts(folder.emfdid);
  const isRead = !pass.owesFlags && (isWhole || pass.session.unreadCount === 0);
  const before = folder.uidValidity === uidValidity ? folder.highestModseq : null;
  const uidNext = opened.uidNext === null ? null : Math.max(opened.uidNext, pass.listedUid + 1);
  await ports.store.endPass({
    emfdid: folder.emfdid,
    uidValidity,
    kind: isWhole ? 'full' : 'recent',
    uidNext: agrees ? uidNext : null,
    highestModseq: isRead ? opened.highestModseq : before,
    messageCount: pass.session.exists,
    unseenCount: unseen,
    at: toInstant(ports.clock()),
  });
}
