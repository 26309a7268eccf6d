/**
 * The fencing epoch: each engine start raises it, and an engine that was thought dead but lives finds its next write
 * refused. A store that never raised one (edits by the command line) is not fenced. Runs inside the write's transaction.
 */
import { EngineError } from '../../base/errors.ts';
import type { Connection } from './connection.ts';

export function raiseEpoch(c: Connection): number {
  const row = c.get<{ epoch: number }>('UPDATE engine_epoch SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch');
  if (!row) throw new EngineError('store_corrupt', 'engine_epoch has no row');
  c.epoch = row.epoch;
  return row.epoch;
}

export function throwIfFenced(c: Connection): void {
  if (c.epoch === null) return;
  const row = c.get<{ epoch: number }>('SELECT epoch FROM engine_epoch WHERE id = 1');
  if (row?.epoch !== c.epoch) throw new EngineError('fenced', `epoch ${c.epoch}, the store is at ${row?.epoch ?? 0}`);
}
