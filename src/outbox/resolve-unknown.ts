/** Looks whether a mail of unknown fate was taken, and settles it as unknown-rule.ts decides. */
import { asEngineError } from '../base/errors.ts';
import type { FollowUp } from '../store/outbox-entry.ts';
import type { SendingAccount } from './account.ts';
import { type Desk, headersOf } from './desk.ts';
import { hasOwnCopy } from './find-copy.ts';
import { decideUnknown } from './unknown-rule.ts';

/** True: settled. */
export async function resolveUnknown(desk: Desk, account: SendingAccount, followUp: FollowUp): Promise<boolean> {
  const { outboxId, kind, tries, wasResent, hasDelivered } = followUp;
  const isFound = !hasDelivered && (await isTaken(desk, account, followUp));
  const policy = desk.settings.unknown;
  const decision = decideUnknown({ isFound, looks: tries + 1, policy, wasResent, hasDelivered });
  const { acntid } = account;
  if (decision.kind === 'look-again') {
    await desk.store.recordFollowUp({ outboxId, kind, nextAt: desk.instantIn(decision.afterMs) });
    return false;
  }
  if (decision.kind === 'hold') {
    await desk.store.recordFollowUp({ outboxId, kind, nextAt: null });
    desk.log.warn(`outbox entry ${outboxId}: nobody knows whether it was sent: backproc outbox resolve ${outboxId}`, {
      acntid,
    });
    return false;
  }
  if (!(await settled(desk, outboxId, decision.kind))) return false;
  desk.log.info(
    `outbox entry ${outboxId}: ${decision.kind === 'found' ? 'found in Sent: it was sent' : 'sent once more'}`,
    { acntid },
  );
  return true;
}

/** False: a person was quicker. */
async function settled(desk: Desk, outboxId: number, resolution: 'found' | 'resend-once'): Promise<boolean> {
  try {
    await desk.store.resolveUnknown(outboxId, resolution, desk.instantIn(0));
    return true;
  } catch (error) {
    if (asEngineError(error).code === 'outbox_not_possible') return false;
    throw error;
  }
}

/** In Sent, where the server has put it; in the INBOX, when it went to the account itself. */
async function isTaken(desk: Desk, account: SendingAccount, followUp: FollowUp): Promise<boolean> {
  const sent = await desk.sentFolder();
  const isToSelf = followUp.recipients.some((address) => address.toLowerCase() === account.email.toLowerCase());
  const paths = [...(sent === null ? [] : [sent]), ...(isToSelf ? ['INBOX'] : [])];
  return hasOwnCopy(desk, { acntid: account.acntid, paths, headers: headersOf(followUp) }, followUp);
}
