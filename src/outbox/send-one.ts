/** What happens to one attempt on a connection, or for want of one. */
import type { EngineError, ErrorRecord } from '../base/errors.ts';
import { isOnlyAccounts } from './account-health.ts';
import { attempt, brokeBeforeReply, conclude, wasAborted } from './deliver.ts';
import type { Line } from './line.ts';
import type { Work } from './prepare.ts';
import type { Team } from './team.ts';
import { type AccountTrouble, troubleOf } from './verdict.ts';

/** The entry that found the server in trouble: an attempt of its own, unless the trouble is the account's alone. */
export async function failUnopened(team: Team, item: Work, failure: EngineError): Promise<void> {
  const { input } = team;
  const record = failure.toRecord();
  if (record.code !== 'aborted') team.stop(record);
  if (record.code === 'aborted' || isOnlyAccounts(record))
    return input.release([item.attemptId], record.code === 'aborted' ? null : troubleText(record));
  const outcome = { phase: 'envelope', accepted: [], refused: [], reply: null, failure: record } as const;
  input.onJudged(conclude(input.deliver, item, outcome, performance.now(), 'connect'), item);
}

/** One attempt to its end, written down or taken back. */
export async function sendOne(team: Team, line: Line, item: Work): Promise<void> {
  const { input } = team;
  const startedMs = performance.now();
  let outcome = await attempt(input.deliver, line.session(), item);
  // A connection that had been idle was dropped unseen. Not a byte of the mail has left: once more on a new one.
  if (brokeBeforeReply(outcome) && line.mayBeStale() && !input.signal.aborted) {
    const failure = await line.reopen();
    if (failure) return failUnopened(team, item, failure);
    outcome = await attempt(input.deliver, line.session(), item);
  }
  line.markUsed();
  if (wasAborted(outcome)) return input.release([item.attemptId], null);
  const trouble = troubleOf(outcome);
  if (trouble) team.stop(recordOf(trouble));
  // A login that is wanted is never the mail's fault. Only before the body: after it, taking back would be sending twice.
  if (trouble?.kind === 'auth' && outcome.phase === 'envelope') return input.release([item.attemptId], trouble.detail);
  input.onJudged(conclude(input.deliver, item, outcome, startedMs), item);
  // Where nobody shares the commit there is nothing to be gained by going on before it.
  if (team.openCount === 1) await input.deliver.journal.end();
}

const recordOf = ({ kind, detail }: AccountTrouble): ErrorRecord =>
  kind === 'auth'
    ? { code: 'auth_failed', scope: 'account', remedy: 'wait-operator', detail }
    : { code: 'throttled', scope: 'account', remedy: 'retry', detail };

export const troubleText = ({ code, detail }: ErrorRecord): string => `${code}: ${detail}`;
