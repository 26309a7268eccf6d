/**
 * One attempt: over one connection, to its verdict, written down. `data_started` is committed before the body leaves, the verdict
 * with the next transaction of the journal.
 */
import { isAscii } from 'node:buffer';
import type { RecipientReply, SendOutcome, SmtpSession } from '../smtp/session.ts';
import type { AttemptPhase, AttemptResult } from '../store/outbox-entry.ts';
import { needsUtf8 } from './address-spec.ts';
import type { Journal } from './journal.ts';
import type { Work } from './prepare.ts';
import { firstUnknownLookMs } from './unknown-rule.ts';
import { type Judgement, judge, type Trial } from './verdict.ts';

export interface DeliverPorts {
  readonly journal: Journal;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  readonly giveUpMs: number;
  /** From a delivery to the first look for the Sent copy; null: none is wanted. */
  readonly fileAfterMs: number | null;
}

export async function attempt(ports: DeliverPorts, session: SmtpSession, work: Work): Promise<SendOutcome> {
  const impossible = refusalOf(session, work);
  if (impossible !== null) return refusedByUs(work, impossible);
  const [able, unable] = byUtf8(session, work);
  if (able.length === 0) return refusedByUs(work, utf8Missing);
  const { journal, signal } = ports;
  const envelope = { from: work.smtpFrom, to: able, needsUtf8: hasUtf8Header(work.raw) };
  const hooks = {
    onDataStarted: () => journal.started(work.attemptId),
    onReplyLate: () => journal.replyLate(work.attemptId),
  };
  const outcome = await journal.during(() => session.send(envelope, work.raw, hooks, signal));
  return { ...outcome, refused: [...outcome.refused, ...unable] };
}

/** Stopped by us before anything left, by order or because our store takes nothing: as if it had never begun. */
export const wasAborted = ({ phase, failure }: SendOutcome): boolean =>
  phase === 'envelope' && failure !== null && (failure.code === 'aborted' || failure.code.startsWith('store_'));

/** The connection broke before the server said a word about this mail: nothing has left. */
export const brokeBeforeReply = ({ phase, reply, failure, accepted, refused }: SendOutcome): boolean =>
  phase === 'envelope' &&
  reply === null &&
  failure?.code === 'connection_lost' &&
  accepted.length + refused.length === 0;

/** Judges and writes down. `phase`: where it ended, when it never came to a transaction. */
export function conclude(
  ports: DeliverPorts,
  work: Work,
  outcome: SendOutcome,
  startedMs: number,
  phase: AttemptPhase = outcome.phase,
): Judgement {
  const nowMs = ports.nowMs();
  const trial: Trial = {
    recipients: work.recipients,
    attempt: work.attempt,
    firstAttemptMs: work.firstAttemptMs,
    nowMs,
    giveUpMs: ports.giveUpMs,
    random: Math.random(),
  };
  const judgement = { ...judge(outcome, trial), phase };
  ports.journal.finished(
    resultOf(work, judgement, nowMs, Math.round(performance.now() - startedMs), ports.fileAfterMs),
  );
  return judgement;
}

function resultOf(
  { attemptId, outboxId }: Work,
  judgement: Judgement,
  nowMs: number,
  durationMs: number,
  fileAfterMs: number | null,
): AttemptResult {
  const { phase, verdict, code, response, lastError, recipients } = judgement;
  return {
    attemptId,
    outboxId,
    phase,
    verdict,
    code,
    response,
    durationMs,
    at: new Date(nowMs).toISOString(),
    recipients,
    lastError,
    fileAt: fileAfterMs === null ? null : new Date(nowMs + fileAfterMs).toISOString(),
    lookupAt: new Date(nowMs + firstUnknownLookMs).toISOString(),
  };
}

/** What the server said it cannot take need not be tried (RFC 1870 6.1, RFC 6531 3.5). */
function refusalOf({ capabilities }: SmtpSession, { raw, smtpFrom }: Work): string | null {
  const { sizeBytesMax, hasSmtpUtf8 } = capabilities;
  if (sizeBytesMax !== null && raw.length > sizeBytesMax)
    return `the mail has ${raw.length} bytes, the server takes at most ${sizeBytesMax}`;
  if (!hasSmtpUtf8 && needsUtf8(smtpFrom)) return `${utf8Missing}: the sender ${smtpFrom} needs them`;
  return null;
}

const utf8Missing = 'the server does not take international addresses (SMTPUTF8)';

function refusedByUs({ recipients }: Work, text: string): SendOutcome {
  const refused = recipients.map((address) => ({ address, code: 0, text }));
  return { phase: 'envelope', accepted: [], refused, reply: { code: 0, text }, failure: null };
}

function byUtf8({ capabilities }: SmtpSession, { recipients }: Work): [string[], RecipientReply[]] {
  const isAble = (address: string): boolean => capabilities.hasSmtpUtf8 || !needsUtf8(address);
  const unable = recipients.filter((address) => !isAble(address));
  return [recipients.filter(isAble), unable.map((address) => ({ address, code: 0, text: utf8Missing }))];
}

function hasUtf8Header(raw: Uint8Array): boolean {
  const end = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).indexOf('\r\n\r\n');
  return !isAscii(raw.subarray(0, end === -1 ? raw.length : end));
}
