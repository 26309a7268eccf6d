/** Can the log be written, and does it tell of trouble. Pure. */
import { type Finding, ok, warn } from './finding.ts';

export interface LogFacts {
  readonly folder: string;
  readonly freeBytes: number | null;
  /** Today's lines of the threading-error log, newest last. */
  readonly threadErrors: readonly string[];
}

const freeBytesMin = 20 * 1024 * 1024;

export function judgeLog({ folder, freeBytes, threadErrors }: LogFacts): Finding[] {
  if (freeBytes === null) return [ok('log', `${folder} is not there yet`)];
  const room =
    freeBytes < freeBytesMin
      ? warn('log', `only ${freeBytes} bytes are free in ${folder}`, 'Free space: lines are lost, the work goes on.')
      : ok('log', folder);
  if (threadErrors.length === 0) return [room];
  const found = `${threadErrors.length} thread errors today, the last: ${threadErrors.at(-1)}`;
  return [room, warn('log', found, 'See the threading-error log; what is a defect is worth a report.')];
}
