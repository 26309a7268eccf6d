/** Job state, store, WAL and key. Pure. */
import type { StoreExamination } from '../../store/sqlite/examine.ts';
import { formatBytes } from '../progress-display.ts';
import { bad, type Finding, ok, warn } from './finding.ts';

export interface JobFacts {
  readonly file: string;
  /** `busy`: an engine has it open for itself. `unread`: it could not be looked at, which is no proof of damage. */
  readonly state: 'absent' | 'sound' | 'damaged' | 'busy' | 'unread';
  readonly detail: string;
}

export function judgeJobState({ file, state, detail }: JobFacts): Finding {
  if (state === 'damaged')
    return bad(
      'job-state',
      `${file}: ${detail}`,
      'Nothing is lost with it: stop the engine and delete it, or doctor --repair; it is made anew from the store.',
    );
  const words = {
    absent: 'none yet; the next launch makes it',
    sound: 'sound',
    busy: 'in use by the engine',
    unread: detail,
  };
  return ok('job-state', `${file}: ${words[state]}`);
}

export function judgeStore(file: string, found: StoreExamination): Finding[] {
  if (found.bytes === null)
    return [
      warn('store', `${file} does not exist yet`, 'The next launch makes it. If there was one: restore the backup.'),
    ];
  if (found.error) return [bad('store', `${file}: ${found.error.detail}`, errorTodo(found.error.code))];
  return [judgeVersion(found), judgeSoundness(file, found)];
}

const errorTodo = (code: string): string =>
  code === 'store_corrupt'
    ? 'Restore the last backup (docs/operations.md); the next pass catches up.'
    : code === 'store_newer'
      ? 'Install the version that wrote it, or a newer one.'
      : 'Check disk, mount and permissions of the store folder.';

function judgeVersion({ version, knownVersion }: StoreExamination): Finding {
  if (version === knownVersion) return ok('store', `tables are at migration ${version}`);
  return warn(
    'store',
    `tables are at migration ${version} of ${knownVersion}`,
    'The next launch migrates them, after making a copy.',
  );
}

function judgeSoundness(file: string, { bytes, problems }: StoreExamination): Finding {
  const size = `${file}: ${formatBytes(bytes ?? 0)}`;
  if (problems === null) return ok('store', `${size}; too large for a quick check, see doctor --deep`);
  if (problems.length === 0) return ok('store', `${size}, sound`);
  return bad('store', `${size}: ${problems.join('; ')}`, errorTodo('store_corrupt'));
}

export interface WalFacts {
  readonly bytes: number;
  /** Processes, other than engine and doctor, that kept a read open for as long as doctor looked. */
  readonly longReaders: readonly { readonly pid: number; readonly name: string }[];
}

/** SQLite cuts it to 64 MiB when it starts over. */
const walWarnBytes = 80 * 1024 * 1024;
const walBadBytes = 1024 * 1024 * 1024;

export function judgeWal({ bytes, longReaders }: WalFacts): Finding {
  const readers = longReaders.map(({ pid, name }) => `${pid} (${name})`).join(', ');
  const found = `${formatBytes(bytes)}${readers === '' ? '' : `; process ${readers} keeps a read open`}`;
  const todo =
    readers === ''
      ? 'An application keeps a read transaction open from time to time: have it end its reads.'
      : 'Have that program end its read transactions: no mail can leave the WAL meanwhile.';
  if (bytes > walBadBytes) return bad('wal', found, todo);
  if (bytes > walWarnBytes) return warn('wal', found, todo);
  return ok('wal', found);
}

export interface KeyFacts {
  readonly file: string;
  /** Why it opens nothing; null: it is a key. */
  readonly problem: string | null;
  readonly hasSecrets: boolean;
}

/** Whether others can read it is told with the permissions. */
export function judgeKey({ file, problem, hasSecrets }: KeyFacts): Finding {
  if (problem === null) return ok('key', file);
  if (!hasSecrets) return ok('key', `${problem}; nothing is sealed yet`);
  return bad('key', problem, 'Restore the key file from your backup; else every password has to be set again.');
}
