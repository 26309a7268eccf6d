/** What is known of each mail server's health while the engine runs; rests are kept in the store, so that a restart obeys them. */
import { toInstant } from '../../base/clock.ts';
import type { Store } from '../../store/store.ts';
import {
  type Answer,
  afterAnswer,
  passesAllowed,
  type ServerHealth,
  unknownHealth,
} from '../schedule/server-health.ts';

export interface Servers {
  load(): Promise<void>;
  of(server: string): ServerHealth;
  /** True: the server answers again after it rested, so accounts that failed for its sake are due. */
  note(server: string, answer: Answer): Promise<boolean>;
  allowedOn(server: string, nowMs: number): number;
  /** When it began to answer again: what waited for that was not late before. 0: it always did. */
  wellSinceMs(server: string): number;
  /** When the next rest ends; Infinity: none rests. */
  nextRetryMs(nowMs: number): number;
  list(): readonly ServerHealth[];
}

export function createServers(store: Pick<Store, 'serverRests' | 'recordServerRest'>): Servers {
  const healths = new Map<string, ServerHealth>();
  const wellSince = new Map<string, number>();
  const of = (server: string): ServerHealth => healths.get(server) ?? unknownHealth(server);
  return {
    of,
    async load() {
      for (const { server, failureCount, retryAt, markedAt, lastError } of await store.serverRests())
        healths.set(server, {
          ...unknownHealth(server),
          failureCount,
          retryMs: Date.parse(retryAt),
          markedMs: Date.parse(markedAt),
          lastError,
        });
    },
    async note(server, answer) {
      const before = of(server);
      const after = afterAnswer(before, answer);
      healths.set(server, after);
      if (after.failureCount !== before.failureCount || after.retryMs !== before.retryMs)
        await store.recordServerRest(server, restOf(after));
      const hasRecovered = before.failureCount > 0 && after.failureCount === 0;
      if (hasRecovered) wellSince.set(server, answer.endedMs);
      return hasRecovered;
    },
    allowedOn: (server, nowMs) => passesAllowed(of(server), nowMs),
    wellSinceMs: (server) => wellSince.get(server) ?? 0,
    nextRetryMs: (nowMs) =>
      Math.min(
        ...[...healths.values()].map(({ retryMs }) => retryMs ?? 0).filter((ms) => ms > nowMs),
        Number.POSITIVE_INFINITY,
      ),
    list: () => [...healths.values()],
  };
}

function restOf({
  failureCount,
  retryMs,
  markedMs,
  lastError,
}: ServerHealth): Parameters<Store['recordServerRest']>[1] {
  if (failureCount === 0 || retryMs === null) return null;
  return {
    failureCount,
    retryAt: toInstant(new Date(retryMs)),
    markedAt: toInstant(new Date(markedMs ?? retryMs)),
    lastError: lastError ?? '',
  };
}
