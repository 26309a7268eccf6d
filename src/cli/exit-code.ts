/** Exit codes (DESIGN.md): one table. Pure. */
import { catalogue, type ErrorCode, type ErrorRecord } from '../base/errors.ts';

export const exitCodes = {
  done: 0,
  difference: 1,
  notRunning: 3,
  usage: 64,
  bug: 70,
  retry: 75,
  configuration: 78,
} as const;

const usage: readonly ErrorCode[] = [
  'usage',
  'account_unknown',
  'account_exists',
  'not_found',
  'file_invalid',
  'settings_not_found',
  'passphrase_wrong',
  'outbox_invalid',
  'outbox_not_possible',
];

/** 64 what the caller typed · 70 our defect · 75 time heals it · 78 an operator must act. */
export function exitCodeOf(code: ErrorCode): number {
  if (usage.includes(code)) return exitCodes.usage;
  if (code === 'bug') return exitCodes.bug;
  return catalogue[code].remedy === 'wait-operator' ? exitCodes.configuration : exitCodes.retry;
}

/** The gravest of several: what needs an operator counts more than what time heals. */
export function exitCodeOfAll(errors: readonly ErrorRecord[]): number {
  return Math.max(exitCodes.done, ...errors.map((error) => exitCodeOf(error.code)));
}
