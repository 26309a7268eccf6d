/** Looks where things are launched from, for lines that name this program. Thin. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type LaunchEntry, type LaunchFacts, launchesUs, type Program } from './launch.ts';

interface Place {
  readonly kind: LaunchEntry['kind'];
  /** A file, or a folder of files. */
  readonly path: string;
}

const places: readonly Place[] = [
  { kind: 'cron', path: '/etc/crontab' },
  { kind: 'cron', path: '/etc/cron.d' },
  { kind: 'cron', path: '/var/spool/cron/crontabs' },
  { kind: 'cron', path: '/var/spool/cron' },
  { kind: 'systemd', path: '/etc/systemd/system' },
  { kind: 'sysv', path: '/etc/init.d' },
  { kind: 'upstart', path: '/etc/init' },
];

export function findLaunch(program: Program): Omit<LaunchFacts, 'isEngineAlive'> {
  if (process.platform === 'win32') return { entries: findTask(program), isCronRunning: null, unseen: [] };
  const unseen: string[] = [];
  const entries = places.flatMap(({ kind, path }) =>
    filesAt(path, unseen)
      .filter((file) => launches(file, program, unseen))
      .map((file) => ({ kind, path: file, isEnabled: kind !== 'systemd' || isEnabled(file) })),
  );
  return { entries, isCronRunning: isCronRunning(), unseen };
}

function filesAt(path: string, unseen: string[]): string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return [];
  if (!stats.isDirectory()) return [path];
  return readable(path, unseen, [], () => readdirSync(path).map((name) => join(path, name))).filter(
    (file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true,
  );
}

function launches(file: string, program: Program, unseen: string[]): boolean {
  const text = readable(file, unseen, '', () => readFileSync(file, 'utf8'));
  return text.split('\n').some((line) => launchesUs(line, program));
}

function readable<T>(path: string, unseen: string[], otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    unseen.push(path);
    return otherwise;
  }
}

/** A unit that something wants has a link. */
function isEnabled(unit: string): boolean {
  const folder = '/etc/systemd/system';
  const name = unit.slice(unit.lastIndexOf('/') + 1);
  const wants = readdirSync(folder).filter((entry) => /\.(wants|requires)$/.test(entry));
  return wants.some((entry) => readdirSync(join(folder, entry)).includes(name));
}

/** By its pid file; null where there is none to be seen (dcron and others). */
function isCronRunning(): boolean | null {
  const file = ['/run/crond.pid', '/var/run/crond.pid', '/run/cron.pid'].find((path) => existsSync(path));
  if (file === undefined) return existsSync('/usr/sbin/cron') ? false : null;
  return existsSync(`/proc/${readFileSync(file, 'utf8').trim()}`);
}

function findTask(program: Program): LaunchEntry[] {
  const { stdout } = spawnSync('schtasks', ['/Query', '/XML', 'ONE'], { encoding: 'utf8', timeout: 30_000 });
  const isThere = (stdout ?? '').split('\n').some((line) => launchesUs(line, program));
  return isThere ? [{ kind: 'task-scheduler', path: 'Task Scheduler', isEnabled: true }] : [];
}
