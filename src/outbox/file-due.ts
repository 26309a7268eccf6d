/**
 * A filing task: what is left to do on the IMAP side once mail is out. One connection, opened when something needs it; each piece
 * of work is done or put off by itself. Slow here, so never in a sending task.
 */
import { toInstant } from '../base/clock.ts';
import { asEngineError, type ErrorRecord } from '../base/errors.ts';
import type { FollowUp } from '../store/outbox-entry.ts';
import { type SendingAccount, sendingAccount } from './account.ts';
import { createDesk, type Desk } from './desk.ts';
import { fileSent } from './file-sent.ts';
import { markAnswered } from './mark-answered.ts';
import { resolveUnknown } from './resolve-unknown.ts';
import { filingMode } from './sent-copy.ts';
import type { FilePorts, FileReport, FileTask } from './task.ts';

/** Of one task: the engine asks again. */
const followUpsMax = 500;
/** After so many failures a copy or a flag is given up, with its reason; what is unknown then waits for a person. */
const triesMax = 12;
const firstWaitMs = 60_000;
const lastWaitMs = 2 * 60 * 60_000;

export async function fileDue(ports: FilePorts, task: FileTask): Promise<FileReport> {
  const account = await sendingAccount(ports.store, task.acntid);
  const done = { file: 0, answer: 0, lookup: 0 };
  const error = await workThrough(ports, account, done);
  return {
    acntid: task.acntid,
    filedCount: done.file,
    answeredCount: done.answer,
    resolvedCount: done.lookup,
    error,
  };
}

type Done = Record<FollowUp['kind'], number>;

async function workThrough(ports: FilePorts, account: SendingAccount, done: Done): Promise<ErrorRecord | null> {
  const now = toInstant(ports.clock());
  const desk = createDesk(ports, account, filingMode({ ...account, smtpHost: account.smtp?.host ?? null }));
  try {
    for (const followUp of await ports.store.followUps(account.acntid, now, followUpsMax)) {
      const failure = ports.signal.aborted ? null : await handle(desk, account, followUp, done);
      if (failure?.scope !== 'account') continue;
      // What befell this one befalls the others as well, and a login that fails is not tried for each of them.
      await ports.store.postponeFollowUps(account.acntid, now, desk.instantIn(waitMs(followUp.tries)));
      ports.log.warn(`outbox: ${failure.code}: ${failure.detail}`, { acntid: account.acntid });
      return failure;
    }
    return null;
  } finally {
    await desk.close();
  }
}

const waitMs = (tries: number): number => Math.min(lastWaitMs, firstWaitMs * 2 ** Math.min(tries, 10));

const work = { file: fileSent, answer: markAnswered, lookup: resolveUnknown } as const;

async function handle(
  desk: Desk,
  account: SendingAccount,
  followUp: FollowUp,
  done: Done,
): Promise<ErrorRecord | null> {
  try {
    if (await work[followUp.kind](desk, account, followUp)) done[followUp.kind] += 1;
    return null;
  } catch (error) {
    const failure = asEngineError(error);
    if (failure.code === 'aborted') return null;
    if (failure.scope === 'process') throw failure;
    if (failure.scope !== 'account') await putOff(desk, account, followUp, failure.toRecord());
    return failure.toRecord();
  }
}

async function putOff(desk: Desk, { acntid }: SendingAccount, followUp: FollowUp, failure: ErrorRecord): Promise<void> {
  const { outboxId, kind, tries } = followUp;
  const text = `${failure.code}: ${failure.detail}`;
  desk.log.warn(`outbox entry ${outboxId}: ${kind}: ${text}`, { acntid });
  const nextAt = tries + 1 >= triesMax ? null : desk.instantIn(waitMs(tries));
  await desk.store.recordFollowUp({ outboxId, kind, nextAt, ...(kind === 'file' ? { fileError: text } : {}) });
}
