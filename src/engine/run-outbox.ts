/** The outbox for a single command: what is due is sent, then looked after, until nothing is left that a further task would move. */
import { type Clock, toInstant } from '../base/clock.ts';
import type { DueAccount } from '../store/outbox-entry.ts';
import { createBudget } from './budget.ts';
import type { Engine } from './engine.ts';
import { type Side, sides } from './outbox-sides.ts';

/** Accounts asked for at a time. */
const accountsMax = 500;

/** `deliveredCount`: mails that somebody has got. */
export async function runOutbox(
  engine: Engine,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly deliveredCount: number }> {
  let deliveredCount = 0;
  if (!engine.config.EMAIL_OUTBOX_ENABLED) return { deliveredCount };
  await engine.store.clampWaits(toInstant(clock()), engine.config.EMAIL_AUTH_ERROR_CHECK_RETRY_TIME * 1000);
  for (const side of ['send', 'file'] as const) deliveredCount += await drainSide(engine, side, clock, signal);
  return { deliveredCount };
}

async function drainSide(engine: Engine, side: Side, clock: Clock, signal: AbortSignal): Promise<number> {
  /** The store names them still, and a task found nothing to do: the next run looks again. */
  const idle = new Set<number>();
  let deliveredCount = 0;
  while (!signal.aborted) {
    const due = (await engine.store.outboxDue(toInstant(clock()), accountsMax))[side];
    const accounts = due.filter(({ acntid }) => !idle.has(acntid));
    if (accounts.length === 0) break;
    deliveredCount += await runAll(engine, side, accounts, signal, (acntid) => void idle.add(acntid));
  }
  return deliveredCount;
}

async function runAll(
  { config, threads, log }: Engine,
  side: Side,
  accounts: readonly DueAccount[],
  signal: AbortSignal,
  onIdle: (acntid: number) => void,
): Promise<number> {
  const perAccount = side === 'send' ? config.EMAIL_OUTBOX_MAX_CONNECTIONS_PER_ACCOUNT : 1;
  const budget = createBudget({ perHost: config.BG_MAX_CONNECTIONS_PER_HOST, perAccount }, new Map());
  const runOne = async ({ acntid, host }: DueAccount): Promise<number> => {
    const grant = await budget.take(host ?? '');
    try {
      if (signal.aborted) return 0;
      const { error, doneCount, deliveredCount } = await sides[side](threads, acntid, grant.connections);
      if (error !== null && error.code !== 'aborted') log.warn(`outbox: ${error.code}: ${error.detail}`, { acntid });
      if (doneCount === 0) onIdle(acntid);
      return deliveredCount;
    } finally {
      grant.release();
    }
  };
  const counts = await Promise.all(accounts.map(runOne));
  return counts.reduce((sum, count) => sum + count, 0);
}
