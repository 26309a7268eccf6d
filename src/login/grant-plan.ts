/**
 * Decides what is to be done about an account's token. Pure. A token is replaced before it ends, so a provider that is down for a
 * while is not noticed; a refresh is never begun while another is under way, since a provider that rotates refresh tokens takes
 * the second use of one for theft and ends the grant.
 */
import type { AccessToken, Grant, GrantFailure } from '../store/logins.ts';

/** A request ends within requestTimeoutMs, so nobody refreshes any more when this is over, unless the machine was asleep. */
export const leaseMs = 45_000;
/** How long the provider may take. Longer, and every connection of the account would wait for a provider that is down. */
export const requestTimeoutMs = 20_000;

export type GrantPlan =
  | { readonly kind: 'use'; readonly token: string }
  /** `spare`: serves still, when no other can be had. */
  | { readonly kind: 'refresh'; readonly spare: string | null }
  /** Somebody else is refreshing. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'fail'; readonly failure: GrantFailure };

export interface GrantMoment {
  readonly nowMs: number;
  /** What the server has just refused: no more use, however long it was meant to last. */
  readonly refused: string | null;
  /** Somebody at the command line wants to know now. */
  readonly ignoresBackoff: boolean;
}

export function planGrant(grant: Grant, { nowMs, refused, ignoresBackoff }: GrantMoment): GrantPlan {
  const { accessToken, failure } = grant;
  const spare =
    accessToken && isAfter(accessToken.expiresAt, nowMs) && accessToken.token !== refused ? accessToken : null;
  if (spare && isAfter(spare.refreshAt, nowMs)) return { kind: 'use', token: spare.token };
  if (isLeased(grant, nowMs)) return spare ? { kind: 'use', token: spare.token } : { kind: 'wait' };
  if (failure && !ignoresBackoff && isBackedOff(failure, nowMs))
    return spare ? { kind: 'use', token: spare.token } : { kind: 'fail', failure };
  return { kind: 'refresh', spare: spare?.token ?? null };
}

const isAfter = (instant: string, nowMs: number): boolean => Date.parse(instant) > nowMs;

/** One that ends later than it could comes from a clock that was set back since. */
function isLeased({ leaseUntil }: Grant, nowMs: number): boolean {
  return leaseUntil !== null && isAfter(leaseUntil, nowMs) && Date.parse(leaseUntil) <= nowMs + leaseMs;
}

const isBackedOff = ({ retryAt }: GrantFailure, nowMs: number): boolean =>
  isAfter(retryAt, nowMs) && Date.parse(retryAt) <= nowMs + retryMsMax;

/** Replaced this long before its end; less for short-lived ones. */
const earlyMs = 300_000;
/** A login must not begin with a token that ends during it. */
const slackMs = 60_000;
/** RFC 6749 5.1 lets `expires_in` be left out: then a token is replaced soon. */
const unknownLifeSeconds = 600;
const lifeSecondsMax = 86_400;

/** When a token that has just come is to be replaced, and when it is taken for dead. */
export function lifeOf(expiresInSeconds: number | null, nowMs: number): Omit<AccessToken, 'token'> {
  const lifeMs = Math.min(expiresInSeconds ?? unknownLifeSeconds, lifeSecondsMax) * 1000;
  return {
    refreshAt: new Date(nowMs + lifeMs - Math.min(earlyMs, lifeMs / 4)).toISOString(),
    expiresAt: new Date(nowMs + lifeMs - Math.min(slackMs, lifeMs / 10)).toISOString(),
  };
}

const firstRetryMs = 15_000;
const lastRetryMs = 15 * 60_000;
const retryMsMax = 60 * 60_000;
/** A grant that was refused will be refused again, until an operator acts: asked again now and then all the same. */
const refusedRetryMs = 10 * 60_000;

/** 15 s, 30 s, 1 min … 15 min; longer where the provider said so (Retry-After), at most an hour. */
export function retryAtOf(
  kind: GrantFailure['kind'],
  count: number,
  retryAfterSeconds: number | null,
  nowMs: number,
): string {
  const ownMs =
    kind === 'refused' ? refusedRetryMs : Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(count - 1, 10));
  return new Date(nowMs + Math.min(retryMsMax, Math.max(ownMs, (retryAfterSeconds ?? 0) * 1000))).toISOString();
}
