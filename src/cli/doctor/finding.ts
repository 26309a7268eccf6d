/** What doctor says about one thing. Pure. */

export type FindingState = 'ok' | 'warn' | 'bad';

export interface Finding {
  readonly check: string;
  readonly state: FindingState;
  /** What was found. */
  readonly found: string;
  /** What the administrator should do; null: nothing. */
  readonly todo: string | null;
}

export const ok = (check: string, found: string): Finding => ({ check, state: 'ok', found, todo: null });
export const warn = (check: string, found: string, todo: string): Finding => ({ check, state: 'warn', found, todo });
export const bad = (check: string, found: string, todo: string): Finding => ({ check, state: 'bad', found, todo });

export function gravest(findings: readonly Finding[]): FindingState {
  const has = (state: FindingState): boolean => findings.some((finding) => finding.state === state);
  return has('bad') ? 'bad' : has('warn') ? 'warn' : 'ok';
}
