/**
 * What an SMTP transaction means, for each of its recipients and for the account. Pure.
 *
 *   phase reached   reply 2xx     reply 4xx   reply 5xx   no reply
 *   envelope        –             deferred    rejected    deferred: nothing has left
 *   data_started    unknown       deferred    rejected    deferred: the final dot has not left, so the server drops the rest
 *   body_sent       delivered     deferred    rejected    unknown: the server may have the mail (RFC 1047)
 *
 * A recipient that was refused by name has its own verdict, whatever becomes of the others. Some replies are about the sender and
 * not about the mail: a login that is wanted, a rate or a quota that is used up. Those put the account off, never reject. A reply
 * to one recipient is about the sender only where it is what all of them got.
 */

import type { Reply, SendOutcome, SendPhase } from '../smtp/session.ts';
import type { AttemptPhase, RecipientResult, Verdict } from '../store/outbox-entry.ts';
import { isExpired, retryWaitMs } from './backoff-schedule.ts';

export interface Trial {
  readonly recipients: readonly string[];
  /** Attempts of the entry so far, this one included. */
  readonly attempt: number;
  readonly firstAttemptMs: number | null;
  readonly nowMs: number;
  readonly giveUpMs: number;
  /** 0 to 1: one for all recipients, so that they go out together again. */
  readonly random: number;
}

export interface Judgement {
  readonly phase: AttemptPhase;
  readonly verdict: Verdict;
  readonly code: number | null;
  readonly response: string | null;
  readonly lastError: string | null;
  readonly recipients: readonly RecipientResult[];
}

/** `auth`: a login is missing or no longer good. `throttle`: too much, too fast. */
export interface AccountTrouble {
  readonly kind: 'auth' | 'throttle';
  readonly detail: string;
}

interface Answer {
  readonly verdict: Verdict;
  readonly code: number | null;
  readonly text: string;
  /** The mail is full, not this recipient at fault: the next mail may take them (RFC 5321 4.5.3.1.10). */
  readonly isTooMany?: boolean;
}

export function judge(outcome: SendOutcome, trial: Trial): Judgement {
  const refused = new Map(outcome.refused.map((reply) => [reply.address, answerByName(reply)]));
  const rest = restOf(outcome);
  const isServing = rest.verdict === 'delivered' && outcome.accepted.length > 0;
  const recipients = trial.recipients.map((address) => {
    const answer = refused.get(address) ?? rest;
    const waitMs = isServing && answer.isTooMany ? 0 : retryWaitMs(trial.attempt, trial.random);
    return resultFor(address, answer, trial, new Date(trial.nowMs + waitMs).toISOString());
  });
  const verdict = overall(recipients.map((recipient) => recipient.verdict));
  const unserved = recipients.filter((recipient) => recipient.verdict !== 'delivered');
  const worst = unserved.find((recipient) => recipient.verdict === verdict) ?? unserved[0];
  const shown = outcome.reply ?? outcome.refused[0] ?? null;
  return {
    phase: outcome.phase,
    verdict,
    code: codeOf(shown),
    response: shown?.text ?? outcome.failure?.detail ?? null,
    lastError: worst ? (worst.response ?? worst.verdict) : null,
    recipients,
  };
}

const codeOf = (reply: Reply | null): number | null => (reply === null || reply.code <= 0 ? null : reply.code);

/** What everybody gets whom the server did not refuse by name. */
function restOf({ phase, reply, failure }: SendOutcome): Answer {
  if (reply !== null && reply.code >= 400) return answerOf(reply);
  if (reply !== null && reply.code < 300 && phase === 'body_sent')
    return { verdict: 'delivered', code: reply.code, text: reply.text };
  return { ...brokenAt(phase, reply !== null), text: reply?.text ?? failure?.detail ?? 'no reply' };
}

/** A server that said yes before it had the mail cannot be believed, and may have it all the same. */
function brokenAt(phase: SendPhase, hasReply: boolean): Omit<Answer, 'text'> {
  const isUnknown = phase === 'body_sent' || (phase === 'data_started' && hasReply);
  return { verdict: isUnknown ? 'unknown' : 'deferred', code: null };
}

/** 503 is about the order of commands, not about the mail; code 0 is our own refusal. */
function answerOf(reply: Reply): Answer {
  const isPermanent = (reply.code >= 500 && reply.code !== 503 && accountKind(reply) === null) || reply.code === 0;
  return { verdict: isPermanent ? 'rejected' : 'deferred', code: codeOf(reply), text: reply.text };
}

/**
 * That one recipient wants a login (`530` from a server that does not relay) says nothing of the account: others needed none.
 * 552 for too many recipients is as temporary as 452 (RFC 5321 4.5.3.1.10).
 */
function answerByName(reply: Reply): Answer {
  if (isTooMany(reply)) return { verdict: 'deferred', code: reply.code, text: reply.text, isTooMany: true };
  const isAuth = accountKind(reply) === 'auth';
  return isAuth ? { verdict: 'rejected', code: reply.code, text: reply.text } : answerOf(reply);
}

const isTooMany = ({ code, text }: Reply): boolean =>
  (code === 452 || code === 552) && (/^[45]\.5\.3$/.test(statusIn(text)) || /too many recipients/i.test(text));

function resultFor(address: string, answer: Answer, trial: Trial, nextAttemptAt: string): RecipientResult {
  const { code, text } = answer;
  if (answer.verdict !== 'deferred')
    return { address, verdict: answer.verdict, code, response: text, nextAttemptAt: null };
  if (!isExpired(trial)) return { address, verdict: 'deferred', code, response: text, nextAttemptAt };
  const hours = Math.round(trial.giveUpMs / 3_600_000);
  return {
    address,
    verdict: 'rejected',
    code,
    response: `given up after ${hours} hours: ${text}`,
    nextAttemptAt: null,
  };
}

/** An attempt counts as the best that came of it, unless somebody's fate is unknown. */
function overall(verdicts: readonly Verdict[]): Verdict {
  const order: readonly Verdict[] = ['unknown', 'delivered', 'deferred', 'rejected'];
  return order.find((verdict) => verdicts.includes(verdict)) ?? 'deferred';
}

/** Null: the replies are about the mail. */
export function troubleOf(outcome: SendOutcome): AccountTrouble | null {
  const [first, ...others] = aboutSender(outcome);
  const kind = first ? accountKind(first) : null;
  if (!first || kind === null || others.some((one) => accountKind(one) !== kind)) return null;
  return { kind, detail: first.text };
}

/** Where everybody was refused by name, the reply that ended the transaction is one of those to RCPT. Code 0 is our own refusal. */
function aboutSender({ accepted, refused, reply }: SendOutcome): readonly Reply[] {
  const byName = refused.filter(({ code }) => code !== 0);
  if (accepted.length === 0 && byName.length > 0) return byName;
  return reply === null ? [] : [reply];
}

/** Gmail answers 550 5.4.5 and Microsoft 554 5.2.0 when the day's sending is used up: permanent by code, over by tomorrow. */
const quotaTexts = /daily (user )?sending|sending (rate|limit|quota)|SubmissionQuotaExceeded|quota.{0,20}sending/i;
const quotaStatuses: ReadonlySet<string> = new Set(['5.4.5']);
const rateTexts =
  /too much mail|too many (messages|connections|logins|concurrent|recipients from)|rate (limit|exceeded)|throttl/i;
const rateStatuses: ReadonlySet<string> = new Set(['4.7.28', '4.3.2']);

/** The enhanced status is the first word after the code (RFC 2034 4). Anywhere else such numbers are part of an IP address. */
const statusIn = (text: string): string => /^\d{3} ([245]\.\d{1,3}\.\d{1,3})(?= |$)/.exec(text)?.[1] ?? '';

const isAboutQuota = (text: string): boolean => quotaTexts.test(text) || quotaStatuses.has(statusIn(text));
const isAboutRate = (text: string): boolean => rateTexts.test(text) || rateStatuses.has(statusIn(text));

export function accountKind({ code, text }: Reply): AccountTrouble['kind'] | null {
  if (code === 530 || code === 534 || code === 535 || code === 538) return 'auth';
  if (code === 421) return 'throttle';
  if (code >= 500) return isAboutQuota(text) ? 'throttle' : null;
  return code >= 400 && (isAboutRate(text) || isAboutQuota(text)) ? 'throttle' : null;
}
