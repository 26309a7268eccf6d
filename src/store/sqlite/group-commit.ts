/**
 * One transaction for several requests: an fsync costs more than a batch. Nobody hears of success before the COMMIT, and if that
 * fails, all of them fail. A request that fails undoes the whole group; those before it are done again without it, and it fails
 * alone, as the first of the next. No savepoint for each: SQLite would copy every page before it changes it, into a temporary file.
 */
import type { Connection } from './connection.ts';
import { SavepointWanted } from './failure.ts';
import { runsAlone, runVerb, type WriteVerb } from './verbs.ts';

export interface WriteCall {
  readonly verb: WriteVerb;
  readonly args: readonly unknown[];
}

export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Called at each durable step; the crash tests end the process there. */
export type Step = () => void;

/** A transaction that grows further makes others wait, and the WAL with it. */
const bodyBytesMax = 8 * 1024 * 1024;
const groupMs = 50;

/** Takes as many calls from the front as the bounds allow, at least one; returns one outcome for each taken. */
export function commitGroup(c: Connection, calls: readonly WriteCall[], step: Step): Outcome[] {
  const [first] = calls;
  if (first === undefined) return [];
  if (runsAlone(first.verb)) return [runWithout(c, first)];
  const { outcomes, failed } = transact(c, calls, step);
  if (failed === null) return outcomes;
  if (outcomes.length > 0) return commitGroup(c, calls.slice(0, outcomes.length), step);
  return failed.error instanceof SavepointWanted ? commitInParts(c, first, step) : [failed];
}

/** The same again, with savepoints: a part of it may fail alone. */
function commitInParts(c: Connection, call: WriteCall, step: Step): Outcome[] {
  c.hasSavepoints = true;
  const { outcomes, failed } = transact(c, [call], step);
  c.hasSavepoints = false;
  return failed === null ? outcomes : [failed];
}

interface Transacted {
  readonly outcomes: Outcome[];
  /** The next call did, and nothing of the group stands. */
  readonly failed: { readonly error: unknown } | null;
}

function transact(c: Connection, calls: readonly WriteCall[], step: Step): Transacted {
  const epochBefore = c.epoch;
  const undo = (): void => {
    c.epoch = epochBefore;
    if (c.database.inTransaction) c.run('ROLLBACK');
  };
  try {
    step();
    c.run('BEGIN IMMEDIATE');
    const run = runCalls(c, calls, step);
    if (run.failed !== null) {
      undo();
      return run;
    }
    step();
    c.run('COMMIT');
    step();
    return run;
  } catch (error) {
    undo();
    return { outcomes: calls.map(() => ({ error })), failed: null };
  }
}

/** The call that failed may have taken the whole transaction with it (RAISE(ROLLBACK), disk full). */
function runCalls(c: Connection, calls: readonly WriteCall[], step: Step): Transacted {
  const outcomes: Outcome[] = [];
  const started = performance.now();
  let bytes = 0;
  for (const call of calls) {
    if (runsAlone(call.verb)) break;
    try {
      outcomes.push({ value: runVerb(c, call.verb, call.args) });
    } catch (error) {
      return { outcomes, failed: { error } };
    }
    step();
    bytes += bodyBytes(call);
    if (bytes >= bodyBytesMax || performance.now() - started >= groupMs) break;
  }
  return { outcomes, failed: null };
}

/** Without a transaction around it. */
function runWithout(c: Connection, { verb, args }: WriteCall): Outcome {
  try {
    return { value: runVerb(c, verb, args) };
  } catch (error) {
    return { error };
  }
}

interface Bodies {
  readonly messages?: readonly { readonly raw: Uint8Array }[];
  readonly entries?: readonly { readonly composed: { readonly raw: Uint8Array } | null }[];
}

function bodyBytes({ verb, args }: WriteCall): number {
  if (verb !== 'storeBatch' && verb !== 'beginAttempts') return 0;
  const { messages = [], entries = [] } = args[0] as Bodies;
  const bodies = [...messages, ...entries.map(({ composed }) => composed)];
  return bodies.reduce((sum, body) => sum + (body?.raw.length ?? 0), 0);
}
