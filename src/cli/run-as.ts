/** BACKPROC_RUN_AS: what root starts runs as somebody else, before it touches a file (K5). */
import { execFileSync } from 'node:child_process';
import { EngineError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';

/** Does nothing for anyone but root, and on Windows. Throws `config_invalid` when there is no such user. */
export function dropPrivileges({ BACKPROC_RUN_AS: user }: Pick<Config, 'BACKPROC_RUN_AS'>): void {
  if (user === null || process.getuid?.() !== 0) return;
  const group = primaryGroup(user);
  // Not in @types/node 20.
  if ('initgroups' in process && typeof process.initgroups === 'function') process.initgroups(user, group);
  process.setgid?.(group);
  process.setuid?.(user);
}

/** For `config check`, whoever asks: throws `config_invalid` when there is no such user. */
export function checkRunAs({ BACKPROC_RUN_AS: user }: Pick<Config, 'BACKPROC_RUN_AS'>): void {
  if (user !== null && process.getuid) primaryGroup(user);
}

function primaryGroup(user: string): number {
  try {
    return Number(execFileSync('id', ['-g', '--', user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch (error) {
    throw new EngineError('config_invalid', `BACKPROC_RUN_AS: there is no user ${JSON.stringify(user)}`, {
      cause: error,
    });
  }
}
