/**
 * A sending task: recover what was interrupted → see what the account may send → drain → record how the account is doing.
 *
 * The life of an entry (docs/outbox.md draws it):
 *   queued → sending → delivered | deferred | rejected | unknown
 *   deferred → sending again, at next_attempt_at, until it is delivered or given up
 *   unknown: the connection died after the final dot; the server may have the mail, so it is never sent again by itself
 *   held and cancelled are people's; a bad entry is rejected without an attempt.
 * `sending` is committed before dialling, `data_started` before a byte of the body leaves, the verdict with the state that follows
 * from it. So whatever kills the process: before `data_started` the mail is sent again, after it nobody knows, and says so.
 */
import { toInstant } from '../base/clock.ts';
import { logInWith } from '../base/credentials.ts';
import { EngineError, type ErrorRecord } from '../base/errors.ts';
import { type SmtpSession, smtpTimeouts } from '../smtp/session.ts';
import { type SendingAccount, sendingAccount } from './account.ts';
import { healthAfter, healthy } from './account-health.ts';
import { drain } from './drain.ts';
import { allowanceOf } from './envelope.ts';
import { createJournal } from './journal.ts';
import { accountLimitMistakes, limitsFor, type SendLimits } from './limits.ts';
import { beginBatch, type Work } from './prepare.ts';
import { filingMode, firstLookMs } from './sent-copy.ts';
import { untilTaken } from './store-patience.ts';
import type { SendPorts, SendReport, SendTask } from './task.ts';
import type { Judgement } from './verdict.ts';

/** A task ends after this, so that the engine can share out connections anew; what is left is due at once. */
const taskMsMax = 10 * 60_000;

export async function sendDue(ports: SendPorts, task: SendTask): Promise<SendReport> {
  const { acntid } = task;
  const counts = { delivered: 0, deferred: 0, rejected: 0, unknown: 0 };
  const recovered = await ports.store.recoverAttempts(acntid, toInstant(ports.clock()));
  const account = await sendingAccount(ports.store, acntid);
  for (const mistake of accountLimitMistakes(account.outboxLimits))
    ports.log.warn(`outbox: email_accounts.outbox_limits does not count: ${mistake}`, { acntid });
  const error = await drainAccount(ports, task, account, {
    onJudged(judgement, { outboxId }) {
      counts[judgement.verdict] += 1;
      logVerdict(ports, acntid, outboxId, judgement);
    },
    onRejected(count) {
      counts.rejected += count;
    },
    onStoreTrouble: toldOnce(ports, acntid),
  });
  logEnd(ports, acntid, counts, error);
  return {
    acntid,
    deliveredCount: counts.delivered,
    deferredCount: counts.deferred,
    rejectedCount: counts.rejected,
    unknownCount: counts.unknown,
    recoveredCount: recovered.retried + recovered.unknown,
    error,
  };
}

interface Told {
  readonly onJudged: (judgement: Judgement, work: Work) => void;
  /** Bad entries, without an attempt. */
  readonly onRejected: (count: number) => void;
  readonly onStoreTrouble: (failure: EngineError) => void;
}

async function drainAccount(
  ports: SendPorts,
  task: SendTask,
  account: SendingAccount,
  told: Told,
): Promise<ErrorRecord | null> {
  const { smtp } = account;
  if (smtp === null) return recordTrouble(ports, account, new EngineError('smtp_missing', account.email).toRecord());
  const limits = limitsFor(smtp.host, ports.settings.limits, account.outboxLimits);
  const journal = createJournal(ports.store, told.onStoreTrouble);
  const key = `${account.acntid} ${smtp.user} ${smtp.security} ${smtp.host}:${smtp.port}`;
  let isWell = false;
  let trouble: ErrorRecord | null;
  try {
    trouble = await drain({
      limits,
      connections: Math.max(1, Math.min(task.connections, limits.connections)),
      deliver: {
        journal,
        signal: ports.signal,
        nowMs: () => ports.clock().getTime(),
        giveUpMs: ports.settings.giveUpHours * 3_600_000,
        fileAfterMs: firstLookMs(filingMode({ ...account, smtpHost: smtp.host })),
      },
      claim: claimer(ports, account, limits, told),
      take: async () => {
        const taken = await ports.smtpPool.take(key, () => logIn(ports, account, smtp));
        isWell = true;
        return taken;
      },
      give: (session) => ports.smtpPool.give(key, session),
      onJudged: told.onJudged,
      release: async (attemptIds, lastError) => {
        await journal.end();
        const release = () => ports.store.releaseAttempts(attemptIds, lastError, toInstant(ports.clock()));
        await untilTaken(release, told.onStoreTrouble);
      },
      signal: ports.signal,
    });
  } finally {
    // Verdicts that are still to be written are waited for also when the drain failed: the next task would take them for lost.
    await journal.end();
  }
  if (trouble) return recordTrouble(ports, account, trouble);
  if (isWell && account.smtpHealth.failureCount > 0) await ports.store.recordSmtpHealth(account.acntid, healthy);
  return null;
}

/** A store that takes nothing just now is told of once a task, however many writes wait for it. */
function toldOnce({ log }: SendPorts, acntid: number): (failure: EngineError) => void {
  let isTold = false;
  return ({ code, detail }) => {
    if (!isTold) log.warn(`outbox: waits for the store: ${code}: ${detail}`, { acntid });
    isTold = true;
  };
}

function logIn(
  { credentialsOf, openSmtp, settings, signal }: SendPorts,
  { acntid, allowPlaintext }: SendingAccount,
  { host, port, security }: NonNullable<SendingAccount['smtp']>,
): Promise<SmtpSession> {
  const timeouts = smtpTimeouts(settings.networkTimeoutMs);
  return logInWith(credentialsOf, { acntid, protocol: 'smtp' }, (credentials) =>
    openSmtp({ host, port, security, allowPlaintext, credentials, timeouts, signal }),
  );
}

/** Batches that held nothing but bad entries, or such as changed under our hands, before it is enough for this task. */
const emptyBatchesMax = 20;

function claimer(
  ports: SendPorts,
  account: SendingAccount,
  limits: SendLimits,
  { onRejected, onStoreTrouble }: Told,
): (entriesMax: number) => Promise<readonly Work[]> {
  const endMs = performance.now() + taskMsMax;
  return async (entriesMax) => {
    for (let empty = 0; empty < emptyBatchesMax && performance.now() < endMs; empty += 1) {
      const allowance = await allowanceNow(ports, account, limits);
      if (allowance.notBefore !== null) {
        await ports.store.recordSmtpHealth(account.acntid, { ...healthy, retryAt: allowance.notBefore });
        return [];
      }
      const wish = {
        entriesMax: Math.min(entriesMax, allowance.messages),
        recipientsMax: allowance.recipients,
        recipientsPerMessage: limits.recipientsPerMessage,
      };
      const begin = () => beginBatch(ports, account, wish);
      const { works, hasMore, rejectedCount } = await untilTaken(begin, onStoreTrouble, ports.signal);
      onRejected(rejectedCount);
      if (works.length > 0 || !hasMore) return works;
    }
    return [];
  };
}

async function allowanceNow(ports: SendPorts, account: SendingAccount, limits: SendLimits) {
  const isLimited = limits.messagesPerMinute !== null || limits.recipientsPerDay !== null;
  const none = { messagesLastMinute: 0, recipientsLastDay: 0 };
  const usage = isLimited ? await ports.store.outboxUsage(account.acntid, toInstant(ports.clock())) : none;
  return allowanceOf(limits, usage, ports.clock().getTime());
}

async function recordTrouble(ports: SendPorts, account: SendingAccount, failure: ErrorRecord): Promise<ErrorRecord> {
  const { acntid, smtpHealth } = account;
  const nowMs = ports.clock().getTime();
  const { failureCount } = smtpHealth;
  const authRetryMs = ports.settings.authRetrySeconds * 1000;
  await ports.store.recordSmtpHealth(acntid, healthAfter({ failure, failureCount, nowMs, authRetryMs }));
  ports.log.warn(`outbox: ${failure.code}: ${failure.detail}`, { acntid });
  return failure;
}

/** What went well is only counted. */
function logVerdict({ log }: SendPorts, acntid: number, outboxId: number, { verdict, lastError }: Judgement): void {
  if (lastError === null) return;
  const line = `outbox entry ${outboxId}: ${verdict}: ${lastError}`;
  if (verdict === 'rejected' || verdict === 'unknown') log.warn(line, { acntid });
  else log.info(line, { acntid });
}

function logEnd(
  ports: SendPorts,
  acntid: number,
  counts: Readonly<Record<string, number>>,
  error: ErrorRecord | null,
): void {
  const words = Object.entries(counts).filter(([, count]) => count > 0);
  if (words.length > 0)
    ports.log.info(`outbox: ${words.map(([word, count]) => `${count} ${word}`).join(', ')}`, { acntid });
  else if (error === null) ports.log.debug('outbox: nothing to send', { acntid });
}
