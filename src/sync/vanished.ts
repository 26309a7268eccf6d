/**
 * Deletions as QRESYNC tells them (VANISHED, RFC 7162 3.2.10). Servers were seen to get them wrong, so an account's server is
 * believed only after three non-empty answers equalled a full listing, and never again after the first that did not.
 */
import { toInstant } from '../base/clock.ts';
import { hasUid, intersectUids, subtractUids, type UidSet, uidCount, uidSetOf, unionUids } from '../base/uid-set.ts';
import type { FolderPass } from './folder-pass.ts';
import { brakeCount, brakeShare, nextVanishedTrust, type VanishedVerdict, vanishedTrustNeeded } from './plan.ts';
import type { ScanResult } from './scan.ts';

const vanishedOf = (pass: FolderPass): UidSet => pass.opened.changes?.vanished ?? [];

/** There is an answer to compare with a full listing. */
export function needsTrial(pass: FolderPass): boolean {
  return vanishedOf(pass).length > 0 && pass.account.vanishedTrust < vanishedTrustNeeded;
}

/** Called with what a full listing found out. */
export async function endTrial(pass: FolderPass, scan: ScanResult): Promise<void> {
  const { account, ports } = pass;
  if (vanishedOf(pass).length === 0 || account.vanishedTrust < 0 || pass.isVanishedJudged) return;
  pass.isVanishedJudged = true;
  const trust = nextVanishedTrust(account.vanishedTrust, judge(pass, scan));
  if (trust !== account.vanishedTrust) await ports.store.recordVanishedTrust(account.acntid, trust);
  if (trust < 0)
    ports.log.warn('VANISHED named messages that are still there: this server is not believed again', {
      acntid: account.acntid,
    });
}

/** The server may name UIDs that we never had (RFC 7162 3.2.10): only what was live here counts. */
function judge(pass: FolderPass, { missingUids, liveUids, revivedUids }: ScanResult): VanishedVerdict {
  const claimed = intersectUids(vanishedOf(pass), unionUids(liveUids, revivedUids));
  if (subtractUids(claimed, missingUids).length > 0) return 'wrong';
  return uidCount(claimed) === uidCount(missingUids) ? 'equal' : 'incomplete';
}

/** Trusted answers become tombstones. False: too many at once to take them without a full listing. */
export async function applyVanished(pass: FolderPass): Promise<boolean> {
  const vanished = vanishedOf(pass);
  if (vanished.length === 0) return true;
  const { folder, ports, uidValidity } = pass;
  const stored = await ports.store.storedMessages(folder.emfdid);
  const live = stored.filter((row) => !row.isVanished && row.uidValidity === uidValidity);
  const named = uidSetOf(live.filter((row) => hasUid(vanished, row.uid)).map((row) => row.uid));
  if (uidCount(named) > brakeCount && uidCount(named) > live.length * brakeShare) return false;
  pass.counts.vanishedCount += await ports.store.applyVanished({
    emfdid: folder.emfdid,
    uidValidity,
    uids: named,
    at: toInstant(ports.clock()),
  });
  return true;
}
