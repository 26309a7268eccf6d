/**
 * The access token of an account, refreshed when it must be: by one connection at a time over all threads and processes, with a
 * lease in the store. Each step is durable before the next: lease → request → the rotated refresh token and the access token are
 * saved in one transaction → the token is handed out. Throws `auth_failed` (the provider takes the grant no more),
 * `token_unavailable` (no sensible answer), `aborted`.
 *
 * Killed between the provider's answer and the save, the answer is lost: it was nowhere but in this process. Providers that keep
 * the old refresh token (Google, Microsoft) don't mind; of those that rotate, most take the old one again for a while, and the
 * next try is made when the lease is over. A provider that does neither ends the grant: an operator has to grant access again, and
 * the error says so. No client can do better; a shorter way from the answer to the disk than one COMMIT there is not.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { throwIfAborted } from '../base/abort.ts';
import { type Clock, toInstant } from '../base/clock.ts';
import { asEngineError, EngineError } from '../base/errors.ts';
import type { Grant, GrantFailure, LeaseRequest } from '../store/logins.ts';
import type { Store } from '../store/store.ts';
import { leaseMs, lifeOf, planGrant, retryAtOf } from './grant-plan.ts';
import type { RequestToken } from './token-endpoint.ts';
import type { TokenAnswer, TokenFailure } from './token-response.ts';

export interface TokenPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly requestToken: RequestToken;
  /** Ends waiting. A request under way is not cut off: a rotated token may be in its answer. */
  readonly signal: AbortSignal;
  readonly ignoresBackoff: boolean;
}

/** `refused`: an access token that the server has just refused; another is handed out. */
export type Tokens = (acntid: number, refused: string | null) => Promise<string>;

const pollMs = 200;
/** Longer than a lease: one that was cut off is waited out. */
const patienceMs = leaseMs + 15_000;
/** A token that came is not given up because the database is busy or the disk full for a moment. */
const saveTriesMax = 5;
const saveRetryMs = 2_000;

/** Several connections of this thread that ask at the same time are given one answer. */
export function createTokens(ports: TokenPorts): Tokens {
  const underWay = new Map<number, Promise<string>>();
  return async (acntid, refused) => {
    const joined = await underWay.get(acntid);
    if (joined !== undefined && joined !== refused) return joined;
    const own = accessToken(ports, acntid, refused).finally(() => underWay.delete(acntid));
    underWay.set(acntid, own);
    return own;
  };
}

async function accessToken(ports: TokenPorts, acntid: number, refused: string | null): Promise<string> {
  const endMs = performance.now() + patienceMs;
  while (performance.now() < endMs) {
    throwIfAborted(ports.signal);
    const grant = await grantOf(ports, acntid);
    const { ignoresBackoff } = ports;
    const plan = planGrant(grant, { nowMs: ports.clock().getTime(), refused, ignoresBackoff });
    if (plan.kind === 'use') return plan.token;
    if (plan.kind === 'fail') throw toError(acntid, plan.failure);
    const token = plan.kind === 'refresh' ? await refresh(ports, acntid, grant, plan.spare) : null;
    if (token !== null) return token;
    await pause(pollMs, ports.signal);
  }
  throw new EngineError('token_unavailable', `account ${acntid}: another refresh does not end`);
}

async function grantOf({ store }: TokenPorts, acntid: number): Promise<Grant> {
  const grant = await store.grant(acntid);
  if (!grant) throw new EngineError('no_password', `account ${acntid}: its OAuth grant was taken away`);
  if (grant.refreshToken === null && grant.clientSecret === null)
    throw new EngineError('no_password', `account ${acntid}: its OAuth grant has no refresh token yet`);
  return grant;
}

/** Null: somebody else was quicker, and the store is to be looked at again. */
async function refresh(ports: TokenPorts, acntid: number, grant: Grant, spare: string | null): Promise<string | null> {
  const now = ports.clock().getTime();
  const lease: LeaseRequest = {
    acntid,
    generation: grant.generation,
    holder: randomUUID(),
    at: toInstant(new Date(now)),
    until: toInstant(new Date(now + leaseMs)),
  };
  if (!(await ports.store.leaseGrant(lease))) return null;
  const answer = await ports.requestToken(grant);
  if (answer.kind === 'token') return (await save(ports, lease, answer)) ? answer.accessToken : null;
  return fail(ports, lease, grant, answer, spare);
}

/** False: the grant was changed while the provider was asked. */
async function save(ports: TokenPorts, { acntid, generation }: LeaseRequest, answer: TokenAnswer): Promise<boolean> {
  const life = lifeOf(answer.expiresInSeconds, ports.clock().getTime());
  const refreshed = {
    acntid,
    generation,
    accessToken: { token: answer.accessToken, ...life },
    refreshToken: answer.refreshToken,
  };
  for (let tries = 1; ; tries += 1) {
    try {
      return await ports.store.saveGrant(refreshed);
    } catch (error) {
      if (tries === saveTriesMax || !/^store_(busy|full|io)$/.test(asEngineError(error).code)) throw error;
      await wait(saveRetryMs);
    }
  }
}

async function fail(
  ports: TokenPorts,
  lease: LeaseRequest,
  grant: Grant,
  answer: TokenFailure,
  spare: string | null,
): Promise<string | null> {
  const count = (grant.failure?.count ?? 0) + 1;
  const { acntid, generation, holder } = lease;
  const failure: GrantFailure = {
    kind: answer.kind,
    error: `${answer.error}${cutOff(grant, answer)}`,
    retryAt: retryAtOf(answer.kind, count, answer.retryAfterSeconds, ports.clock().getTime()),
    count,
  };
  await ports.store.failGrant({ acntid, generation, holder, failure });
  if (spare !== null) return spare;
  // Refused, perhaps, because somebody had replaced it: then theirs is there to be used.
  if ((await grantOf(ports, acntid)).generation !== generation) return null;
  throw toError(acntid, failure);
}

/** A lease that nobody ended: its answer may have held the refresh token that this one was replaced by. */
const cutOff = ({ leaseUntil }: Grant, { kind }: TokenFailure): string =>
  kind === 'refused' && leaseUntil !== null
    ? ' (an earlier refresh was cut off before its answer could be stored)'
    : '';

function toError(acntid: number, { kind, error, retryAt }: GrantFailure): EngineError {
  return kind === 'refused'
    ? new EngineError(
        'auth_failed',
        `account ${acntid}: the provider refuses to refresh its token: ${error}; grant access again`,
      )
    : new EngineError('token_unavailable', `account ${acntid}: ${error}`, { notBefore: retryAt });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal });
  } catch (error) {
    throw new EngineError('aborted', 'waiting for a token', { cause: error });
  }
}
