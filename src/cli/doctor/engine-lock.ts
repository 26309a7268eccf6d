/** Who holds the lock, and whether it works. Pure. */
import { bad, type Finding, ok, warn } from './finding.ts';

export interface LockFacts {
  readonly isHeld: boolean;
  /** Who says that it holds it, and is alive. */
  readonly holder: { readonly pid: number; readonly startedAt: string; readonly version: string } | null;
  /** Since its last sign of life. */
  readonly beatAgeMs: number | null;
  /** Stopped by a signal (SIGSTOP, a debugger). */
  readonly isStopped: boolean;
  /** Who the kernel says holds it, where it says so. */
  readonly lockPids: readonly number[];
  /** Files of an engine that is gone. */
  readonly leftovers: readonly string[];
  readonly version: string;
}

/** Twelve beats: a launch watches for as long before it ends a silent holder. */
const silentMs = 60_000;

export function judgeLock(facts: LockFacts): Finding {
  if (!facts.isHeld) return judgeFree(facts);
  if (facts.holder === null) return judgeUnknown(facts.lockPids);
  return judgeHolder(facts, facts.holder);
}

function judgeFree({ leftovers }: LockFacts): Finding {
  if (leftovers.length === 0) return ok('lock', 'no engine holds it');
  const found = `no engine holds it; one that ended without a word left ${leftovers.join(' ')}`;
  return warn('lock', found, 'Nothing must be done: the next launch replaces them. doctor --repair removes them.');
}

const judgeUnknown = (pids: readonly number[]): Finding =>
  warn(
    'lock',
    `it is held by ${pids.length === 0 ? 'a process' : `process ${pids.join(', ')}`} that left no record`,
    'If that is no backproc that has just begun: end it, then launch again.',
  );

function judgeHolder(facts: LockFacts, holder: NonNullable<LockFacts['holder']>): Finding {
  const { pid, startedAt, version } = holder;
  const who = `engine ${pid}, version ${version}, since ${startedAt}`;
  if (facts.isStopped)
    return bad('lock', `${who}: stopped by a signal`, `kill -CONT ${pid}; or wait: a launch ends it after a minute.`);
  if (facts.beatAgeMs !== null && facts.beatAgeMs > silentMs) {
    const found = `${who}: no sign of life for ${Math.round(facts.beatAgeMs / 1000)} s`;
    return bad(
      'lock',
      found,
      'Launch again (backproc run): it watches for a minute, ends that process and takes over.',
    );
  }
  if (version !== facts.version)
    return warn(
      'lock',
      `${who}; installed is ${facts.version}`,
      'Launch again (backproc run): the new version takes over.',
    );
  return ok('lock', who);
}
