/**
 * Looks for the copy of an entry in folders: in the store first, then at the server. Applications may send several entries under
 * one Message-ID (a newsletter, one entry a reader); then it is found with every one of them, and only our own header, which no two
 * entries have in common, tells whose copy it is.
 */
import type { HeaderWish } from '../imap/filing.ts';
import type { FollowUp } from '../store/outbox-entry.ts';
import { ownHeader } from './compose-input.ts';
import { type Desk, searchedSince } from './desk.ts';

export interface CopyPlace {
  readonly acntid: number;
  readonly paths: readonly string[];
  /** Any of them is a match. */
  readonly headers: readonly HeaderWish[];
}

/** A copy of this very entry is there. */
export async function hasOwnCopy(desk: Desk, place: CopyPlace, followUp: FollowUp): Promise<boolean> {
  if (!(await hasMatch(desk, place, followUp))) return false;
  if (!(await desk.store.isMessageIdShared(followUp.outboxId))) return true;
  const { xBackprocId } = followUp;
  const headers = xBackprocId === null ? [] : [{ name: ownHeader, value: xBackprocId }];
  return isAtServer(desk, { ...place, headers }, followUp);
}

/** A mail with one of these headers is there. */
export async function hasMatch(desk: Desk, place: CopyPlace, followUp: FollowUp): Promise<boolean> {
  const { messageIdHeader } = followUp;
  const { acntid, paths } = place;
  if (messageIdHeader !== null && (await desk.store.hasStoredCopy(acntid, messageIdHeader, paths))) return true;
  return isAtServer(desk, place, followUp);
}

async function isAtServer(desk: Desk, { paths, headers }: CopyPlace, followUp: FollowUp): Promise<boolean> {
  const session = await desk.session();
  for (const path of paths) if (await session.hasMessage(path, headers, searchedSince(desk, followUp))) return true;
  return false;
}
