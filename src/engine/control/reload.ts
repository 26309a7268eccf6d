/** Which constants of a configuration read again hold from now on, and which only from the next start on. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { type Config, type ConstantName, constantNames } from '../../config/schema.ts';

/** Files that are open, and what the process was started as. */
const fixed: readonly ConstantName[] = [
  'BACKPROC_PID_LOCATION',
  'BACKPROC_DATA_LOCATION',
  'BACKPROC_LOG_LOCATION',
  'BACKPROC_STORE',
  'BACKPROC_SECRET_KEY_FILE',
  'BACKPROC_RUN_AS',
  'BACKPROC_NODE_ID',
  'BACKPROC_TIME_ZONE',
  'BACKPROC_WEB_LISTEN',
  'BG_LOG_FORMAT',
];

export interface Applicable {
  /** The given one, with what is fixed as it was. */
  readonly config: Config;
  readonly changed: readonly ConstantName[];
  readonly needsRestart: readonly ConstantName[];
}

export function applicable(before: Config, given: Config): Applicable {
  const different = constantNames.filter((name) => !isDeepStrictEqual(before[name], given[name]));
  const kept = Object.fromEntries(fixed.map((name) => [name, before[name]]));
  return {
    config: { ...given, ...kept },
    changed: different.filter((name) => !fixed.includes(name)),
    needsRestart: different.filter((name) => fixed.includes(name)),
  };
}

/** For the log and for whoever asked. */
export function describeReload({ changed, needsRestart }: Omit<Applicable, 'config'>): string {
  const later = needsRestart.length === 0 ? '' : `; from the next start on: ${needsRestart.join(', ')}`;
  return `changed: ${changed.join(', ') || 'nothing'}${later}`;
}
