/**
 * Backoff of whole servers. Pure. well → (three accounts in a row find it failing) → resting until `retryMs` → one pass tries →
 * well again, or resting for longer. So a dead server costs one connection a wait, not one for each of its accounts; and when
 * it answers again, all of them go on at once.
 */
import type { ErrorRecord } from '../../base/errors.ts';
import { jitterMs } from './spread.ts';

export interface ServerHealth {
  readonly server: string;
  /** Times in a row that it was found failing; 0: well. */
  readonly failureCount: number;
  readonly retryMs: number | null;
  /** When it was last found failing: what started before proves nothing new. */
  readonly markedMs: number | null;
  readonly okMs: number | null;
  readonly lastError: string | null;
  /** Accounts that failed in a row, none having succeeded between; at most three. */
  readonly suspects: readonly number[];
}

export interface Answer {
  readonly acntid: number;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly error: ErrorRecord | null;
}

export const unknownHealth = (server: string): ServerHealth => ({
  server,
  failureCount: 0,
  retryMs: null,
  markedMs: null,
  okMs: null,
  lastError: null,
  suspects: [],
});

/** One account may be the only one that a server cuts off; three in a row are no accident. */
const suspectCount = 3;
/** 30 s, 1, 2 … 15 minutes. */
const waitMsFirst = 30_000;
const waitMsMax = 900_000;
/** As sync/backoff.ts: no server parks us for longer. */
const namedMsMax = 24 * 3_600_000;

/** An account with one of these can't reach its server: it has nothing to say about the account itself. */
const unreachable: ReadonlySet<string> = new Set([
  'host_not_found',
  'connection_refused',
  'connection_lost',
  'timeout',
  'not_imap',
  'tls_untrusted',
  'tls_expired',
  'tls_wrong_host',
  'tls_unavailable',
  'tls_disagreed',
  'tls_tampered',
  'auth_unavailable',
]);
/** These may mean the account, or all that come from here. */
const crowded: ReadonlySet<string> = new Set(['throttled', 'too_many_connections']);

/** The server answers others again: so it will this account. */
export const healsWithServer = (code: string): boolean => unreachable.has(code);
const blamesServer = (code: string): boolean => unreachable.has(code) || crowded.has(code);

export function afterAnswer(health: ServerHealth, answer: Answer): ServerHealth {
  if (!answer.error || !blamesServer(answer.error.code))
    return { ...unknownHealth(health.server), okMs: answer.endedMs };
  if (health.markedMs !== null && answer.startedMs < health.markedMs) return health;
  const suspects = [...new Set([...health.suspects, answer.acntid])];
  if (health.failureCount === 0 && suspects.length < suspectCount) return { ...health, suspects };
  return rest(health, answer, answer.error);
}

function rest(health: ServerHealth, answer: Answer, error: ErrorRecord): ServerHealth {
  const failureCount = health.failureCount + 1;
  const waitMs = Math.min(waitMsMax, waitMsFirst * 2 ** Math.min(failureCount - 1, 10));
  const namedMs = error.notBefore === undefined ? 0 : Date.parse(error.notBefore) - answer.endedMs;
  const fullMs = Math.max(waitMs, Math.min(namedMs, namedMsMax));
  return {
    ...health,
    failureCount,
    retryMs: answer.endedMs + fullMs + jitterMs(answer.acntid, failureCount, fullMs),
    markedMs: answer.endedMs,
    lastError: `${error.code}: ${error.detail}`,
    suspects: [],
  };
}

/** How many passes may run on it at a time. A wait longer than any we set comes from a clock that jumped. */
export function passesAllowed({ failureCount, retryMs }: ServerHealth, nowMs: number): number {
  if (failureCount === 0) return Number.POSITIVE_INFINITY;
  return isResting({ retryMs }, nowMs) ? 0 : 1;
}

export const isResting = ({ retryMs }: Pick<ServerHealth, 'retryMs'>, nowMs: number): boolean =>
  retryMs !== null && retryMs > nowMs && retryMs - nowMs < namedMsMax + jitterRoomMs;

const jitterRoomMs = 3_600_000;
