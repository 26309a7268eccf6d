/** The two sides of the outbox as tasks of threads: `send` over SMTP, `file` over IMAP; and whether a task got anything done. */
import type { ErrorRecord } from '../base/errors.ts';
import type { Threads } from './threads/threads.ts';

export type Side = 'send' | 'file';

export interface SideEnd {
  readonly error: ErrorRecord | null;
  /** False: the task ended without a word of its own (its thread died, or could not begin it), so nothing is in the log. */
  readonly isTold: boolean;
  /** Mails whose state moved; 0: the next task of the account would find the same. */
  readonly doneCount: number;
  /** Of these, sent to somebody. */
  readonly deliveredCount: number;
}

type RunSide = (threads: Pick<Threads, 'run'>, acntid: number, connections: number) => Promise<SideEnd>;

export const sides: Readonly<Record<Side, RunSide>> = { send, file };

async function send(threads: Pick<Threads, 'run'>, acntid: number, connections: number): Promise<SideEnd> {
  const outcome = await threads.run('send', { acntid, connections }, null);
  if ('error' in outcome) return { error: outcome.error, isTold: false, doneCount: 0, deliveredCount: 0 };
  const { deliveredCount, deferredCount, rejectedCount, unknownCount, recoveredCount, error } = outcome.report;
  const doneCount = deliveredCount + deferredCount + rejectedCount + unknownCount + recoveredCount;
  return { error, isTold: true, doneCount, deliveredCount };
}

async function file(threads: Pick<Threads, 'run'>, acntid: number): Promise<SideEnd> {
  const outcome = await threads.run('file', { acntid }, null);
  if ('error' in outcome) return { error: outcome.error, isTold: false, doneCount: 0, deliveredCount: 0 };
  const { filedCount, answeredCount, resolvedCount, error } = outcome.report;
  return { error, isTold: true, doneCount: filedCount + answeredCount + resolvedCount, deliveredCount: 0 };
}
