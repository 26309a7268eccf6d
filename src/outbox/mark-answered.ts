/** Sets \Answered on the message that a sent mail answers, where it is now. Sync sees the flag like any other. */
import type { FollowUp } from '../store/outbox-entry.ts';
import type { SendingAccount } from './account.ts';
import type { Desk } from './desk.ts';

const flag = '\\Answered';

/** True: the flag is set. A message that is gone, or a folder that keeps no flags, is nobody's fault. */
export async function markAnswered(desk: Desk, account: SendingAccount, followUp: FollowUp): Promise<boolean> {
  const { outboxId, kind, inReplyToId } = followUp;
  const places = inReplyToId === null ? [] : await desk.store.messagePlaces(account.acntid, inReplyToId);
  const [place] = places;
  const isSet = place !== undefined && (place.flags.split(' ').includes(flag) || (await setFlag(desk, place)));
  await desk.store.recordFollowUp({ outboxId, kind, nextAt: null });
  return isSet;
}

async function setFlag(desk: Desk, place: { path: string; uidValidity: number; uid: number }): Promise<boolean> {
  const session = await desk.session();
  return session.addFlag(place.path, place, flag);
}
