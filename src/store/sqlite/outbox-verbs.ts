/** The outbox's write verbs by name (see verbs.ts). */
import { learnSentCopy, recordSmtpHealth } from './outbox-account.ts';
import { beginAttempts, recordAttempts } from './outbox-attempts.ts';
import { changeOutbox, enqueueOutbox, holdWaiting, rejectEntry, resolveUnknown } from './outbox-edit.ts';
import { postponeFollowUps, recordFollowUp } from './outbox-followups.ts';
import { clampWaits, recoverAttempts, releaseAttempts } from './outbox-recover.ts';

export const outboxVerbs = {
  enqueueOutbox,
  beginAttempts,
  recordAttempts,
  releaseAttempts,
  recoverAttempts,
  clampWaits,
  rejectEntry,
  recordSmtpHealth,
  recordFollowUp,
  postponeFollowUps,
  learnSentCopy,
  changeOutbox,
  holdWaiting,
  resolveUnknown,
};
