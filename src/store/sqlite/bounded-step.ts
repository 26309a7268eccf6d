/** One step of work that would hold everybody else up if it were done in one transaction. */

/** A step of this size holds the others up for some ten milliseconds; then the time is up, whatever is left. */
export const stepRowsMax = 500;
const stepMs = 50;

export interface Part {
  readonly count: number;
  readonly isDone: boolean;
}

/** From now on. */
export function stepTime(): () => boolean {
  const endMs = performance.now() + stepMs;
  return () => performance.now() < endMs;
}

/** `work` for each of at most `stepRowsMax` rows until the time is up; at least for one, so that every step gets somewhere. */
export function forEachInTime<Row>(rows: readonly Row[], hasTime: () => boolean, work: (row: Row) => void): Part {
  let count = 0;
  for (const row of rows) {
    if (count > 0 && !hasTime()) return { count, isDone: false };
    work(row);
    count += 1;
  }
  return { count, isDone: count < stepRowsMax };
}
