/**
 * A folder whose UIDVALIDITY changed (RFC 9051 2.3.1.1; recipe RFC 4549 4). Nothing is deleted first: one complete listing,
 * then one transaction (applyReset) in which every recognised row moves to its new UID and keeps its id. The others stay
 * live until the rest was fetched, where they may still be recognised by SHA-256. Of the remainder the counts differ, so a scan
 * follows, and the deletion brake has its say (compare.ts).
 */
import { toInstant } from '../base/clock.ts';
import { EngineError } from '../base/errors.ts';
import { highestUid, subtractUids, type UidSet, uidSetOf } from '../base/uid-set.ts';
import { listUidsFrom } from './beyond-next.ts';
import type { FolderPass } from './folder-pass.ts';
import { askInHalves } from './in-halves.ts';
import { matchIdentities } from './match-identities.ts';

/** After so many changes, without a pass between them that found none, the server, not the folder, is wrong: wait. */
const resetCountMax = 5;
/** Backoff of 1 to 32 minutes: once an hour it is taken at its word again. */
const refusalsMax = 6;

/** Returns what is left to fetch. */
export async function resetFolder(pass: FolderPass): Promise<UidSet> {
  const { folder, session, ports, uidValidity } = pass;
  if (folder.resetCount >= resetCountMax && folder.failureCount < refusalsMax)
    throw new EngineError('uidvalidity_unstable', `${folder.resetCount} changes in a row`);
  const uids = await listUidsFrom(pass, 1);
  const [stored, observed] = [
    await ports.store.storedIdentities(folder.emfdid),
    await askInHalves(uids, (some) => session.fetchMetadata(some, { withMessageId: true })),
  ];
  const matches = matchIdentities(stored, observed);
  const pending = subtractUids(uids, uidSetOf(matches.map((match) => match.uid)));
  const at = toInstant(ports.clock());
  await ports.store.applyReset({
    emfdid: folder.emfdid,
    uidValidity,
    matches,
    listedUid: highestUid(uids),
    pending,
    at,
  });
  pass.listedUid = highestUid(uids);
  ports.log.info(`UIDVALIDITY changed: ${matches.length} of ${stored.length} stored messages recognised`, {
    acntid: folder.acntid,
    emfdid: folder.emfdid,
  });
  return pending;
}
