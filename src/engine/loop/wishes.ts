/** Passes that somebody asked for, beside what is due: `sync` by the command line, INBOX by a server that told of a change. */
import { EngineError } from '../../base/errors.ts';
import type { Progress, Scope } from '../../sync/pass.ts';
import type { TaskOutcome } from '../threads/threads.ts';

export interface Wish {
  readonly scope: Scope;
  readonly settle: (outcome: TaskOutcome<'pass'>) => void;
  readonly onProgress: (progress: Progress) => void;
}

export interface Wishes {
  add(acntid: number, wish: Wish): void;
  /** The server told of a change: once is enough, however often it tells before the pass begins. */
  stir(acntid: number): void;
  has(acntid: number): boolean;
  /** The next one; it is told of progress until its pass has ended. */
  take(acntid: number): Wish | undefined;
  progress(progress: Progress): void;
  /** The account is gone. */
  fail(acntid: number): void;
}

const ignore = (): void => undefined;
const inboxOnly: Wish = {
  scope: { kind: 'command', pass: 'recent', paths: ['INBOX'] },
  settle: ignore,
  onProgress: ignore,
};

export function createWishes(): Wishes {
  const waiting = new Map<number, Wish[]>();
  const granted = new Map<number, Wish>();
  const take = (acntid: number): Wish | undefined => {
    const [first, ...rest] = waiting.get(acntid) ?? [];
    if (rest.length > 0) waiting.set(acntid, rest);
    else waiting.delete(acntid);
    if (first) granted.set(acntid, first);
    return first;
  };
  const add = (acntid: number, wish: Wish): void => void waiting.set(acntid, [...(waiting.get(acntid) ?? []), wish]);
  return {
    add,
    stir(acntid) {
      if (!waiting.get(acntid)?.includes(inboxOnly)) add(acntid, inboxOnly);
    },
    has: (acntid) => waiting.has(acntid),
    take(acntid) {
      granted.delete(acntid);
      return take(acntid);
    },
    progress: (progress) => granted.get(progress.acntid)?.onProgress(progress),
    fail(acntid) {
      const error = new EngineError('account_unknown', `${acntid}`).toRecord();
      for (let wish = take(acntid); wish; wish = take(acntid)) wish.settle({ error });
      granted.delete(acntid);
    },
  };
}
