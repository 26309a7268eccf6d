/** The outbox's part of a Store: reads on the connection of the thread, writes by the way that the store has. */
import type { OutboxReads, OutboxWrites } from '../outbox.ts';
import type { Connection } from './connection.ts';
import { outboxUsage, sendingState } from './outbox-account.ts';
import { outboxDue } from './outbox-due.ts';
import * as after from './outbox-followups.ts';
import * as outbox from './outbox-read.ts';
import { hasInterrupted } from './outbox-recover.ts';
import * as sources from './outbox-sources.ts';

type Read = <T>(work: (c: Connection) => T) => Promise<T>;
type Write = <Verb extends keyof OutboxWrites>(
  verb: Verb,
  ...args: Parameters<OutboxWrites[Verb]>
) => Promise<Awaited<ReturnType<OutboxWrites[Verb]>>>;

export function outboxReadsOf(c: Connection, read: Read): OutboxReads {
  return {
    outboxDue: (now, limit) => read(() => outboxDue(c, now, limit)),
    dataVersion: () => read(outbox.dataVersion),
    sendingState: (acntid) => read(() => sendingState(c, acntid)),
    outboxBatch: (acntid, now, limit) => read(() => outbox.outboxBatch(c, acntid, now, limit)),
    outboxUsage: (acntid, now) => read(() => outboxUsage(c, acntid, now)),
    outboxEntries: (filter) => read(() => outbox.outboxEntries(c, filter)),
    outboxDetail: (id) => read(() => outbox.outboxDetail(c, id)),
    outboxRaw: (id) => read(() => outbox.outboxRaw(c, id)),
    followUps: (acntid, now, limit) => read(() => after.followUps(c, acntid, now, limit)),
    answeredMessage: (acntid, id) => read(() => after.answeredMessage(c, acntid, id)),
    messagePlaces: (acntid, id) => read(() => after.messagePlaces(c, acntid, id)),
    hasStoredCopy: (acntid, header, paths) => read(() => after.hasStoredCopy(c, acntid, header, paths)),
    isMessageIdShared: (outboxId) => read(() => after.isMessageIdShared(c, outboxId)),
    storedMail: (acntid, by, id) => read(() => sources.storedMail(c, acntid, by, id)),
    storedPart: (acntid, by, id, part) => read(() => sources.storedPart(c, acntid, by, id, part)),
  };
}

export function outboxWritesBy(c: Connection, read: Read, write: Write): OutboxWrites {
  return {
    enqueueOutbox: (entry) => write('enqueueOutbox', entry),
    beginAttempts: (batch) => write('beginAttempts', batch),
    recordAttempts: (progress) => write('recordAttempts', progress),
    releaseAttempts: (ids, lastError, at) => write('releaseAttempts', ids, lastError, at),
    // Asked by every sending task; nearly always nothing was interrupted.
    recoverAttempts: async (acntid, at) =>
      (await read(() => hasInterrupted(c, acntid))) ? write('recoverAttempts', acntid, at) : { retried: 0, unknown: 0 },
    clampWaits: (now, authRetryMs) => write('clampWaits', now, authRetryMs),
    rejectEntry: (id, lastError, at) => write('rejectEntry', id, lastError, at),
    recordSmtpHealth: (acntid, health) => write('recordSmtpHealth', acntid, health),
    recordFollowUp: (record) => write('recordFollowUp', record),
    postponeFollowUps: (acntid, now, nextAt) => write('postponeFollowUps', acntid, now, nextAt),
    learnSentCopy: (acntid, learned) => write('learnSentCopy', acntid, learned),
    changeOutbox: (id, action, at) => write('changeOutbox', id, action, at),
    holdWaiting: () => write('holdWaiting'),
    resolveUnknown: (id, resolution, at) => write('resolveUnknown', id, resolution, at),
  };
}
