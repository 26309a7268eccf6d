/**
 * The copy in Sent: exactly one. It is looked for before it is made, always; the intent to APPEND is written down before the
 * APPEND, so a process that dies in between looks again, a minute later, when a slow server has finished. What is learned of the
 * account decides how long a server's own copy is waited for.
 */
import type { FollowUp } from '../store/outbox-entry.ts';
import type { SendingAccount } from './account.ts';
import { type Desk, headersOf } from './desk.ts';
import { hasMatch, hasOwnCopy } from './find-copy.ts';
import { nextLookMs } from './sent-copy.ts';

/** From an APPEND that may have come through to the next look. */
const afterAppendMs = 60_000;

/** True: there is a copy now. */
export async function fileSent(desk: Desk, account: SendingAccount, followUp: FollowUp): Promise<boolean> {
  const { outboxId, kind, tries, isBegun } = followUp;
  if (desk.mode === 'off') {
    await desk.store.recordFollowUp({ outboxId, kind, nextAt: null });
    return false;
  }
  if (await hasCopy(desk, account, followUp)) {
    if (!isBegun) await learn(desk, account, 'server');
    await desk.store.recordFollowUp({ outboxId, kind, nextAt: null, filedAt: desk.instantIn(0) });
    return true;
  }
  const againMs = isBegun ? null : nextLookMs(desk.mode, tries + 1);
  if (againMs !== null) {
    await desk.store.recordFollowUp({ outboxId, kind, nextAt: desk.instantIn(againMs) });
    return false;
  }
  return append(desk, account, followUp);
}

async function hasCopy(desk: Desk, { acntid }: SendingAccount, followUp: FollowUp): Promise<boolean> {
  const path = await desk.sentFolder();
  if (path === null) return false;
  // A copy of our own keeps its Message-ID; only a server's may have lost it.
  const headers = desk.mode === 'append' ? headersOf(followUp).slice(0, 1) : headersOf(followUp);
  const place = { acntid, paths: [path], headers };
  // A server that files every mail files this one too: whose copy it is need not be asked.
  return desk.mode === 'server' ? hasMatch(desk, place, followUp) : hasOwnCopy(desk, place, followUp);
}

async function append(desk: Desk, account: SendingAccount, followUp: FollowUp): Promise<boolean> {
  const { outboxId, kind, sentAt } = followUp;
  const raw = await desk.store.outboxRaw(outboxId);
  if (!raw) {
    await desk.store.recordFollowUp({ outboxId, kind, nextAt: null, fileError: 'the bytes of the mail have expired' });
    return false;
  }
  const path = await desk.makeSentFolder();
  await desk.store.recordFollowUp({ outboxId, kind, nextAt: desk.instantIn(afterAppendMs), isBegun: true });
  await (await desk.session()).append(path, raw, new Date(sentAt ?? desk.instantIn(0)));
  await desk.store.recordFollowUp({ outboxId, kind, nextAt: null, filedAt: desk.instantIn(0) });
  if (desk.mode === 'learn') await learn(desk, account, 'append');
  return true;
}

/** What the operator has set is not learned over. */
async function learn(desk: Desk, account: SendingAccount, learned: 'server' | 'append'): Promise<void> {
  if (account.sentCopy !== 'auto' || desk.mode === learned) return;
  desk.mode = learned;
  await desk.store.learnSentCopy(account.acntid, learned);
}
