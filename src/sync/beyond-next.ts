/**
 * UIDs that UIDNEXT, as it was told on opening, leaves no room for: mail that came since, servers that set it back (GMX), or a row that
 * is no message. Believed alone, it would lift the checkpoint above all mail to come; so a second command has to list it, too.
 */
import { intersectUids, subtractUids, type UidSet, uidMax } from '../base/uid-set.ts';
import type { FolderPass } from './folder-pass.ts';

type Opened = Pick<FolderPass, 'opened'>;

export const beyondNext = ({ opened: { uidNext } }: Opened, uids: UidSet): UidSet =>
  uidNext === null || uidNext > uidMax ? [] : intersectUids(uids, [[uidNext, uidMax]]);

/** `searched`: of what is beyond, what the second command listed. */
export const withoutPhantoms = (pass: Opened, uids: UidSet, searched: UidSet): UidSet =>
  subtractUids(uids, subtractUids(beyondNext(pass, uids), searched));

export async function listUidsFrom(pass: FolderPass, first: number): Promise<UidSet> {
  const listed = await pass.session.listUids({ first });
  const beyond = beyondNext(pass, listed);
  if (beyond.length === 0) return listed;
  return withoutPhantoms(pass, listed, await pass.session.searchUids(beyond));
}
