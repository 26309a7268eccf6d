/** Which thread keeps a connection for which account: a pass that runs there need not log in. */

export interface Holders {
  /** After a pass: the thread keeps the account's connection, or does not. */
  note(acntid: number, thread: string, isKept: boolean): void;
  of(acntid: number): string | undefined;
  isHolder(thread: string): boolean;
  /** Returns the thread that kept it. */
  remove(acntid: number): string | undefined;
  /** The thread is gone; returns the accounts whose connections went with it. */
  removeThread(thread: string): number[];
}

export function createHolders(): Holders {
  const threadOf = new Map<number, string>();
  const accountsOf = (thread: string): number[] =>
    [...threadOf].filter(([, name]) => name === thread).map(([acntid]) => acntid);
  const remove = (acntid: number): string | undefined => {
    const thread = threadOf.get(acntid);
    threadOf.delete(acntid);
    return thread;
  };
  return {
    note(acntid, thread, isKept) {
      if (isKept) threadOf.set(acntid, thread);
      else threadOf.delete(acntid);
    },
    of: (acntid) => threadOf.get(acntid),
    isHolder: (thread) => accountsOf(thread).length > 0,
    remove,
    removeThread(thread) {
      const lost = accountsOf(thread);
      for (const acntid of lost) remove(acntid);
      return lost;
    },
  };
}
