/**
 * What a running engine says of itself: `status`, asked in a process of its own, which can be ended when the engine does not
 * answer. Its lock and its beat are judged in engine-lock.ts.
 */
import { execFile } from 'node:child_process';
import type { EngineStatus } from '../../engine/control/status.ts';
import { type Finding, ok, warn } from './finding.ts';

/** It answers within milliseconds unless its main thread stands still. */
const answerMs = 10_000;

export interface StatusAnswer extends Partial<Pick<EngineStatus, 'accounts' | 'rssMib' | 'isStopping' | 'threads'>> {
  readonly running: boolean;
  readonly late?: boolean;
}

/** `command`: how `status --json` is called with this configuration. Null: no answer. */
export function askEngine([program = '', ...args]: readonly string[], cwd: string): Promise<StatusAnswer | null> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, timeout: answerMs }, (_, stdout) => resolve(parse(stdout)));
  });
}

function parse(stdout: string): StatusAnswer | null {
  try {
    return JSON.parse(stdout) as StatusAnswer;
  } catch {
    return null; // ended before it could say anything
  }
}

/** Pure. Nothing for one that ended meanwhile. */
export function judgeEngine(answer: StatusAnswer | null): Finding[] {
  if (answer?.running === false) return [];
  if (answer?.accounts === undefined)
    return [warn('engine', 'it does not answer', 'If that stays: backproc log, backproc restart.')];
  const { accounts, rssMib = 0, threads = [] } = answer;
  const found = `${accounts} accounts, ${threads.length} threads, ${rssMib} MiB of memory`;
  if (answer.isStopping)
    return [warn('engine', `${found}; it is stopping`, 'Nothing: it finishes what it is sending.')];
  if (answer.late === true)
    return [
      warn(
        'engine',
        `${found}; prompt work starts a minute late or later`,
        'backproc status shows what it waits for; BG_THREAD_CONCURRENCY and BG_MAX_CONNECTIONS_PER_HOST bound it.',
      ),
    ];
  return [ok('engine', `${found}; in time`)];
}
