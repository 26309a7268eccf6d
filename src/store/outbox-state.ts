/**
 * What an entry is, by its recipients. Pure. One served recipient makes it delivered, and those who are deferred are tried on;
 * an unknown one comes first of all, because it waits for a person.
 */
import type { OutboxState } from './outbox-entry.ts';

/** Recipients by verdict; `untried` have none yet. */
export interface RecipientCounts {
  readonly untried: number;
  readonly delivered: number;
  readonly deferred: number;
  readonly rejected: number;
  readonly unknown: number;
}

export function entryStateOf(counts: RecipientCounts): OutboxState {
  if (counts.unknown > 0) return 'unknown';
  if (counts.delivered > 0) return 'delivered';
  if (counts.deferred > 0) return 'deferred';
  return counts.untried > 0 || counts.rejected === 0 ? 'queued' : 'rejected';
}

/** Attempts in a row that ended with the process before anything was handed over, and are repeated at once. */
export const interruptionsMax = 3;
/** After those a mail may be what kills the process: it waits this long. */
export const interruptedWaitMs = 15 * 60_000;

/** An entry that waits longer gets its delay notice, once; as long as other mail servers wait with it. */
export const delayNoticeMs = 4 * 60 * 60_000;

/** Longer than any wait that is ever planned: 4 hours and a tenth for a mail, 2 hours for a follow-up, an hour for an account. */
export const waitMsMax = 5 * 60 * 60_000;

/** What a dead engine's attempt counts as. */
export const recoveredVerdict = (phase: string): 'deferred' | 'unknown' =>
  phase === 'data_started' || phase === 'body_sent' ? 'unknown' : 'deferred';
