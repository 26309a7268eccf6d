/**
 * One transaction for several requests: an fsync costs more than a batch. Each request runs under a savepoint of its own, so
 * an error undoes that request alone; nobody hears of success before the COMMIT, and if that fails, all of them fail.
 */
import type { Connection } from './connection.ts';
import { savepoint } from './savepoint.ts';
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
  if (first && runsAlone(first.verb)) return [runWithout(c, first)];
  const epochBefore = c.epoch;
  try {
    step();
    c.run('BEGIN IMMEDIATE');
    const outcomes = runCalls(c, calls, step);
    step();
    c.run('COMMIT');
    step();
    return outcomes;
  } catch (error) {
    c.epoch = epochBefore;
    if (c.database.inTransaction) c.run('ROLLBACK');
    return calls.map(() => ({ error }));
  }
}

function runCalls(c: Connection, calls: readonly WriteCall[], step: Step): Outcome[] {
  const outcomes: Outcome[] = [];
  const started = performance.now();
  let bytes = 0;
  for (const call of calls) {
    if (runsAlone(call.verb)) break;
    outcomes.push(runCall(c, call));
    step();
    bytes += bodyBytes(call);
    if (bytes >= bodyBytesMax || performance.now() - started >= groupMs) break;
  }
  return outcomes;
}

/** Without a transaction around it. */
function runWithout(c: Connection, { verb, args }: WriteCall): Outcome {
  try {
    return { value: runVerb(c, verb, args) };
  } catch (error) {
    return { error };
  }
}

/** Throws when SQLite gave up the whole transaction (disk full): then nothing of the group stands. */
function runCall(c: Connection, { verb, args }: WriteCall): Outcome {
  try {
    return { value: savepoint(c, 'request', () => runVerb(c, verb, args)) };
  } catch (error) {
    if (!c.database.inTransaction) throw error;
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
