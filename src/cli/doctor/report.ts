/** The findings for people: one line each, and below it what to do. Pure. */
import { escapeControls } from '../../base/log-line.ts';
import { type Finding, gravest } from './finding.ts';

const words = { ok: 'ok  ', warn: 'WARN', bad: 'BAD ' } as const;

export function report(findings: readonly Finding[], repairs: readonly string[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, state, found, todo }) => {
    const line = `${words[state]}  ${check.padEnd(width)}  ${escapeControls(found)}`;
    return todo === null ? [line] : [line, `${' '.repeat(width + 8)}→ ${escapeControls(todo)}`];
  });
  const done = repairs.map((text) => `repair: ${escapeControls(text)}`);
  return [...done, ...(done.length > 0 ? [''] : []), ...lines, '', closing(findings)].join('\n');
}

function closing(findings: readonly Finding[]): string {
  const count = (state: Finding['state']): number => findings.filter((finding) => finding.state === state).length;
  if (gravest(findings) === 'ok') return `all ${findings.length} checks are well`;
  return `${count('bad')} bad, ${count('warn')} to look at, ${count('ok')} well`;
}
