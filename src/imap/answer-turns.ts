/**
 * Long answers of one host in turns. All at once they share the link, the server and this thread, and end together; then all
 * connections together wait for what lies between two answers (storing the last, opening the next folder), and nothing comes.
 * Nobody waits long: where a server limits each connection by itself, more of them do bring more.
 */

/** Measured, as the patience: docs/performance.md. */
const atOnceMax = 7;
const patienceMs = 150;

export interface AnswerTurns {
  /** Runs `ask` when it is its turn, in the order of the calls; ends as it does. */
  inTurn<T>(ask: () => Promise<T>): Promise<T>;
}

export function createAnswerTurns(): AnswerTurns {
  let underWay = 0;
  const waiting: (() => void)[] = [];
  const turn = (): Promise<void> =>
    new Promise((resolve) => {
      const begin = (): void => {
        clearTimeout(timer);
        waiting.splice(waiting.indexOf(begin), 1);
        underWay += 1;
        resolve();
      };
      const timer = setTimeout(begin, patienceMs);
      waiting.push(begin);
    });
  return {
    async inTurn(ask) {
      if (underWay >= atOnceMax) await turn();
      else underWay += 1;
      try {
        return await ask();
      } finally {
        underWay -= 1;
        if (underWay < atOnceMax) waiting[0]?.();
      }
    },
  };
}
