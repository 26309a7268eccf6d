/**
 * What a server refuses for many it may refuse for one of them (Yahoo: NO to whatever is asked of a message that it can't read): asked
 * again in halves, down to that one, which is left out. A server that refuses whatever it is asked is soon asked no more.
 */
import { asEngineError, type EngineError } from '../base/errors.ts';
import { type UidSet, uidCount } from '../base/uid-set.ts';
import { halves } from './window.ts';

/** One message among millions is found by that many. */
const refusedInRowMax = 24;

/** Throws the refusal where too many followed each other, or nothing was answered at all: then it is no message's fault. */
export async function askInHalves<Row>(
  uids: UidSet,
  ask: (uids: UidSet) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  let refusedInRow = 0;
  let isAnswered = false;
  let refusal: EngineError | null = null;
  const rows: Row[] = [];
  const left = [uids];
  for (let next = left.pop(); next; next = left.pop()) {
    try {
      for (const row of await ask(next)) rows.push(row);
      refusedInRow = 0;
      isAnswered = true;
    } catch (error) {
      const failure = asEngineError(error);
      refusedInRow += 1;
      if (failure.code !== 'command_refused' || refusedInRow > refusedInRowMax) throw failure;
      refusal = failure;
      const count = uidCount(next);
      if (count > 1) left.push(...halves(next, count).toReversed());
    }
  }
  if (refusal !== null && !isAnswered) throw refusal;
  return rows;
}
