/** Users and groups of the system, by its own programs: Node knows only the numbers. */
import { spawnSync } from 'node:child_process';
import { EngineError } from '../../base/errors.ts';

export interface SystemUser {
  readonly user: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
}

/** The user's main group where none is given. Throws `usage` for names that the system does not know. */
export function findUser(user: string, group: string | null): SystemUser {
  const entry = entryOf('passwd', user);
  if (!entry) throw new EngineError('usage', `There is no user ${user}; give one with --user.`);
  const mainGroup = entry[3] ?? '';
  const groupEntry = entryOf('group', group ?? mainGroup);
  if (!groupEntry) throw new EngineError('usage', `There is no group ${group ?? mainGroup}; give one with --group.`);
  return { user: entry[0] ?? user, group: groupEntry[0] ?? '', uid: Number(entry[2]), gid: Number(groupEntry[2]) };
}

/** Name of a number; null: the system has none for it. */
export const userName = (uid: number): string | null => entryOf('passwd', String(uid))?.[0] ?? null;
export const groupName = (gid: number): string | null => entryOf('group', String(gid))?.[0] ?? null;

/** `name:x:number:…` */
function entryOf(table: 'passwd' | 'group', key: string): string[] | null {
  const { status, stdout } = spawnSync('getent', [table, key], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? (stdout.split('\n')[0] ?? '').split(':') : null;
}
